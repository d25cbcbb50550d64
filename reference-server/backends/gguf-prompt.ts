import { Template } from '@huggingface/jinja';
import type { BackendMessage } from './backend.ts';

/** Renders messages to pieces of a prompt: template text and message content by turns, template text first. */
export type PromptRenderer = (messages: readonly BackendMessage[]) => string[];

const contentMark = /\uE000(\d+)\uE001/;

/**
 * A renderer for a model's Jinja chat template. Contents are kept apart from the template's own text, so control tokens
 * that a user writes stay plain text. Where a template refuses the roles (many want user and assistant by turns), they
 * are folded into the turns that every template knows.
 * @throws when the template does not parse; the renderer throws when a template refuses even the folded messages.
 */
export function promptRenderer(
  chatTemplate: string,
  tokens: { readonly bos: string; readonly eos: string },
): PromptRenderer {
  const template = new Template(chatTemplate);
  const render = (messages: readonly BackendMessage[]): string =>
    template.render({ messages, add_generation_prompt: true, bos_token: tokens.bos, eos_token: tokens.eos });
  return (messages) => {
    const marked = messages.map(({ role, content }, index) => {
      return { role, content: content === '' ? '' : `\uE000${index}\uE001` };
    });
    let text: string;
    try {
      text = render(marked);
    } catch {
      text = render(turns(marked));
    }
    return text.split(contentMark).map((piece, place) => {
      return place % 2 === 0 ? piece : (messages[Number(piece)]?.content ?? '');
    });
  };
}

function turns(messages: readonly BackendMessage[]): BackendMessage[] {
  const folded: BackendMessage[] = [];
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const last = folded.at(-1);
    if (last?.role === role) folded.splice(-1, 1, { role, content: `${last.content}\n\n${message.content}` });
    else folded.push({ role, content: message.content });
  }
  return folded;
}
