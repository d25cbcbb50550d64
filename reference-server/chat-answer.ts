import { createHash } from 'node:crypto';
import type { ChatChunk, ChatCompletion, ChatRequest, ToolCall, Usage } from '../specs/wire.ts';
import type { AnswerEvent } from './answer-events.ts';
import type { Generation } from './backends/backend.ts';
import type { StreamPart } from './behaviour.ts';
import { toApiError } from './failure.ts';
import type { Slot } from './limits/limiter.ts';
import { errorBody } from './respond.ts';

/** A chat request that passed every check. */
export interface Chat {
  /** Of the completion, and so of every chunk. */
  readonly id: string;
  readonly request: ChatRequest;
  readonly model: string;
  readonly promptTokens: number;
  readonly generation: Generation;
  readonly slot: Slot;
}

/** The whole answer; `undefined` where the generation was aborted. */
export async function complete(chat: Chat, events: AsyncIterable<AnswerEvent>): Promise<ChatCompletion | undefined> {
  let content = '';
  const calls: ToolCall[] = [];
  for await (const event of events) {
    if (event.type === 'text') content += event.text;
    if (event.type === 'call') calls.push(beginningOf(event));
    if (event.type === 'arguments') append(calls[event.index], event.text);
    if (event.type !== 'end') continue;
    const message =
      calls.length === 0
        ? { role: 'assistant' as const, content }
        : { role: 'assistant' as const, content: content.trim() === '' ? null : content, tool_calls: calls };
    return {
      ...identity(chat),
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: event.finishReason }],
      usage: usage(event),
      system_fingerprint: fingerprint(chat.model),
    };
  }
  return undefined;
}

function beginningOf({ id, name }: { readonly id: string; readonly name: string }): ToolCall {
  return { id, type: 'function', function: { name, arguments: '' } };
}

function append(call: ToolCall | undefined, text: string): void {
  if (call) call.function.arguments += text;
}

/** The answer in chunks. Throws only before the first; a later failure becomes the last part, without [DONE]. */
export async function* streamParts(
  chat: Chat,
  events: AsyncIterable<AnswerEvent>,
  onFault: (error: unknown) => void,
): AsyncGenerator<StreamPart> {
  const chunk = { ...identity(chat), object: 'chat.completion.chunk' } as const;
  let begun = false;
  try {
    for await (const event of events) {
      // A tool that fails before anything was said still has a status of its own.
      begun ||= event.type !== 'tool_call' && event.type !== 'tool_result';
      yield* chunksOf(chat, chunk, event);
    }
  } catch (error) {
    if (!begun) throw error;
    yield errorBody(toApiError(error, onFault));
    return;
  }
  yield '[DONE]';
}

function* chunksOf(chat: Chat, chunk: Omit<ChatChunk, 'choices'>, event: AnswerEvent): Generator<StreamPart> {
  if (event.type !== 'end') {
    const delta = deltaOf(event);
    if (delta) yield { ...chunk, choices: [{ index: 0, delta, finish_reason: null }] } satisfies ChatChunk;
    return;
  }
  yield { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: event.finishReason }] } satisfies ChatChunk;
  if (chat.request.stream_options?.include_usage) {
    yield { ...chunk, choices: [], usage: usage(event) } satisfies ChatChunk;
  }
}

/** What a chunk adds to the message; nothing for a call that the server runs. */
function deltaOf(event: Exclude<AnswerEvent, { type: 'end' }>): ChatChunk['choices'][number]['delta'] | undefined {
  switch (event.type) {
    case 'text':
      return { content: event.text };
    case 'call':
      return { tool_calls: [{ index: event.index, ...beginningOf(event) }] };
    case 'arguments':
      return { tool_calls: [{ index: event.index, function: { arguments: event.text } }] };
    default:
      return undefined;
  }
}

function identity({ id, model }: Chat) {
  return { id, created: Math.floor(Date.now() / 1000), model };
}

export function usage({ promptTokens, completionTokens }: Extract<AnswerEvent, { type: 'end' }>): Usage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

/** Changes with what answers: the model. */
function fingerprint(model: string): string {
  return `fp_${createHash('sha256').update(model).digest('hex').slice(0, 10)}`;
}
