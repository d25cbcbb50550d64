import { Template } from '@huggingface/jinja';
import { markedCall } from '../tools/call-reader.ts';
import { argumentsOf, type BackendMessage, type BackendTool } from './backend.ts';

/** Renders a prompt in pieces: the template's text and what users wrote by turns, the template's text first. */
export type PromptRenderer = (messages: readonly BackendMessage[], tools?: readonly BackendTool[]) => string[];

const mark = /\uE000(\d+)\uE001/;

/** Text in which no tokenizer knows a control token. */
const harmless = /^[\w .,]*$/;

/**
 * A renderer for a model's Jinja chat template. What users wrote is kept apart from the template's own text, so control
 * tokens in it stay plain text. Where a template knows no tools, they and their calls are told in the messages; where it
 * refuses the roles (many want user and assistant by turns), they are folded into the turns that every template knows.
 * @throws when the template does not parse, or renders not even a greeting; the renderer throws when a template refuses
 * even the folded messages.
 */
export function promptRenderer(chatTemplate: string, tokens: SpecialTokens): PromptRenderer {
  try {
    const render = rendererOf(chatTemplate, tokens);
    render([{ role: 'user', content: 'Hello' }]);
    return render;
  } catch (error) {
    throw new Error(`its chat template cannot be used: ${error instanceof Error ? error.message : error}`);
  }
}

interface SpecialTokens {
  readonly bos: string;
  readonly eos: string;
}

function rendererOf(chatTemplate: string, tokens: SpecialTokens): PromptRenderer {
  const template = new Template(chatTemplate);
  const knowsTools = /\btools\b/.test(chatTemplate);
  const render = (messages: readonly object[], tools?: unknown): string =>
    template.render({
      messages,
      ...(tools !== undefined && { tools }),
      add_generation_prompt: true,
      bos_token: tokens.bos,
      eos_token: tokens.eos,
    });
  return (messages, tools = []) => {
    const apart: string[] = [];
    const hide = (text: string): string => (text === '' ? '' : `\uE000${apart.push(text) - 1}\uE001`);
    const told = (): readonly TemplateMessage[] =>
      inMessages(messages, tools).map(({ role, content }) => ({ role, content: hide(content) }));
    let text: string;
    try {
      text = knowsTools ? render(messages.map(asTemplate(hide)), definitions(tools, hide)) : render(told());
    } catch {
      text = render(turns(told()));
    }
    return text.split(mark).map((piece, place) => (place % 2 === 0 ? piece : (apart[Number(piece)] ?? '')));
  };
}

interface TemplateMessage {
  readonly role: BackendMessage['role'];
  readonly content: string;
}

/** A message with its calls as the templates of models with tools read them: arguments are an object. */
const asTemplate =
  (hide: (text: string) => string) =>
  ({ role, content, toolCalls, toolCallId }: BackendMessage): object => ({
    role,
    content: hide(content),
    ...(toolCalls && {
      tool_calls: toolCalls.map((call) => ({
        id: hidden(call.id, hide),
        type: 'function',
        function: { name: hidden(call.name, hide), arguments: hidden(argumentsOf(call), hide) },
      })),
    }),
    ...(toolCallId !== undefined && { tool_call_id: hidden(toolCallId, hide) }),
  });

function definitions(tools: readonly BackendTool[], hide: (text: string) => string): unknown {
  return tools.length === 0 ? undefined : hidden(tools.map(asFunction), hide);
}

function asFunction({ name, description, parameters }: BackendTool): object {
  return { type: 'function', function: { name, description: description ?? '', parameters: parameters ?? {} } };
}

/** A JSON value whose texts are hidden as they stand in JSON, where they may hold more than words. */
function hidden(value: unknown, hide: (text: string) => string): unknown {
  if (typeof value === 'string') return harmless.test(value) ? value : hide(JSON.stringify(value).slice(1, -1));
  if (Array.isArray(value)) return value.map((item: unknown) => hidden(item, hide));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [hidden(name, hide), hidden(item, hide)]));
}

const instruction =
  'You may call functions. To call one, answer with its name and its arguments as JSON, and nothing else, in this form:';

/** Tells of tools and their calls in the text of the messages, for a template that knows none. */
function inMessages(messages: readonly BackendMessage[], tools: readonly BackendTool[]): readonly TemplateMessage[] {
  const said = messages.map(({ role, content, toolCalls = [] }) => {
    const calls = toolCalls.map(({ name, arguments: given }) => markedCall(name, given));
    return { role, content: [content, ...calls].filter((part) => part !== '').join('\n') };
  });
  if (tools.length === 0) return said;
  const form = markedCall('name', '{}');
  const list = tools.map((tool) => JSON.stringify(asFunction(tool)));
  const lesson = [instruction, form, 'The functions:', ...list].join('\n');
  const [first, ...rest] = said;
  return first?.role === 'system'
    ? [{ role: 'system', content: `${first.content}\n\n${lesson}` }, ...rest]
    : [{ role: 'system', content: lesson }, ...said];
}

/** User and assistant by turns, the user first. */
function turns(messages: readonly TemplateMessage[]): TemplateMessage[] {
  const folded: TemplateMessage[] = [];
  if (messages[0]?.role === 'assistant') folded.push({ role: 'user', content: '' });
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const last = folded.at(-1);
    if (last?.role === role) folded.splice(-1, 1, { role, content: `${last.content}\n\n${message.content}` });
    else folded.push({ role, content: message.content });
  }
  return folded;
}
