import { createHash } from 'node:crypto';
import type { ChatChunk, ChatCompletion, ChatRequest, ToolCall, Usage } from '../specs/wire.ts';
import type { AnswerEvent } from './answer-events.ts';
import type { Generation } from './backends/backend.ts';
import type { StreamPart } from './behaviour.ts';
import { toApiError } from './failure.ts';
import type { Place } from './limits/store.ts';
import { errorBody } from './respond.ts';
import type { Turn } from './slots.ts';

/** A chat request that passed every check. */
export interface Chat {
  /** Of the completion, and so of every chunk. */
  readonly id: string;
  readonly request: ChatRequest;
  readonly model: string;
  readonly promptTokens: number;
  readonly generation: Generation;
  readonly place: Place;
  /** Its way to a slot, which the place gives up too when it is released. */
  readonly turn: Turn;
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

export function beginningOf({ id, name }: { readonly id: string; readonly name: string }): ToolCall {
  return { id, type: 'function', function: { name, arguments: '' } };
}

export function append(call: ToolCall | undefined, text: string): void {
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
      if (event.type === 'tool_call' || event.type === 'tool_result') continue;
      yield* chunksOf(chat, chunk, event, begun ? {} : { role: 'assistant' });
      begun = true;
    }
  } catch (error) {
    if (!begun) throw error;
    await chat.place.release();
    yield errorBody(toApiError(error, onFault));
    return;
  }
  // Who reads the end may ask again at once.
  await chat.place.release();
  yield '[DONE]';
}

/** An event that a client sees. */
type SeenEvent = Exclude<AnswerEvent, { type: 'tool_call' | 'tool_result' }>;
type Delta = ChatChunk['choices'][number]['delta'];

/** @param opening what the delta has besides: the first has a role, which the stream reader of the OpenAI SDK asks for */
function* chunksOf(
  chat: Chat,
  chunk: Omit<ChatChunk, 'choices'>,
  event: SeenEvent,
  opening: Delta,
): Generator<StreamPart> {
  const delta = { ...opening, ...deltaOf(event) };
  const finish_reason = event.type === 'end' ? event.finishReason : null;
  yield { ...chunk, choices: [{ index: 0, delta, finish_reason }] } satisfies ChatChunk;
  if (event.type !== 'end') return;
  if (chat.request.stream_options?.include_usage) {
    yield { ...chunk, choices: [], usage: usage(event) } satisfies ChatChunk;
  }
}

function deltaOf(event: SeenEvent): Delta {
  switch (event.type) {
    case 'text':
      return { content: event.text };
    case 'call':
      return { tool_calls: [{ index: event.index, ...beginningOf(event) }] };
    case 'arguments':
      return { tool_calls: [{ index: event.index, function: { arguments: event.text } }] };
    case 'end':
      return {};
  }
}

function identity({ id, model }: Chat) {
  return { id, created: Math.floor(Date.now() / 1000), model };
}

export function usage({
  promptTokens,
  completionTokens,
}: {
  readonly promptTokens: number;
  readonly completionTokens: number;
}): Usage {
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
