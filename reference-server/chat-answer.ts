import { createHash } from 'node:crypto';
import type { ChatChunk, ChatCompletion, ChatRequest, Usage } from '../specs/wire.ts';
import type { Generation, GenerationEvent } from './backends/backend.ts';
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
export async function complete(
  chat: Chat,
  events: AsyncIterable<GenerationEvent>,
): Promise<ChatCompletion | undefined> {
  let content = '';
  for await (const event of events) {
    if (event.type === 'text') {
      content += event.text;
      continue;
    }
    return {
      ...identity(chat),
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: event.finishReason }],
      usage: usage(chat, event.completionTokens),
      system_fingerprint: fingerprint(chat.model),
    };
  }
  return undefined;
}

/** The answer in chunks. Throws only before the first; a later failure becomes the last part, without [DONE]. */
export async function* streamParts(
  chat: Chat,
  events: AsyncIterable<GenerationEvent>,
  onFault: (error: unknown) => void,
): AsyncGenerator<StreamPart> {
  const chunk = { ...identity(chat), object: 'chat.completion.chunk' } as const;
  let begun = false;
  try {
    for await (const event of events) {
      begun = true;
      yield* chunksOf(chat, chunk, event);
    }
  } catch (error) {
    if (!begun) throw error;
    yield errorBody(toApiError(error, onFault));
    return;
  }
  yield '[DONE]';
}

function* chunksOf(chat: Chat, chunk: Omit<ChatChunk, 'choices'>, event: GenerationEvent): Generator<StreamPart> {
  if (event.type === 'text') {
    yield {
      ...chunk,
      choices: [{ index: 0, delta: { content: event.text }, finish_reason: null }],
    } satisfies ChatChunk;
    return;
  }
  yield { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: event.finishReason }] } satisfies ChatChunk;
  if (chat.request.stream_options?.include_usage) {
    yield { ...chunk, choices: [], usage: usage(chat, event.completionTokens) } satisfies ChatChunk;
  }
}

function identity({ id, model }: Chat) {
  return { id, created: Math.floor(Date.now() / 1000), model };
}

export function usage({ promptTokens }: Pick<Chat, 'promptTokens'>, completionTokens: number): Usage {
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
