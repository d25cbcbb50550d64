import type { WsContent, WsDone, WsError } from '../../specs/wire.ts';
import type { Exchange } from '../admission.ts';
import type { ApiError } from '../api-error.ts';
import type { Members } from '../change.ts';
import { type Chat, usage } from '../chat-answer.ts';
import { generate } from '../generate.ts';
import type { Service } from '../service.ts';

/**
 * The messages of one generation. Where the signal ends it, the last one is a `done` all the same: who is gone does not
 * read it.
 */
export async function* turnMessages(
  service: Service,
  exchange: Exchange,
  chat: Chat,
  signal: AbortSignal,
): AsyncGenerator<Members> {
  let pieces = 0;
  for await (const event of generate(service, exchange, chat, signal)) {
    if (event.type === 'end') {
      yield {
        type: 'done',
        finish_reason: event.finishReason,
        usage: usage(chat, event.completionTokens),
      } satisfies WsDone;
      return;
    }
    if (signal.aborted) break;
    pieces += 1;
    yield { type: 'content', content: event.text } satisfies WsContent;
  }
  yield stopped(chat, pieces);
}

function stopped(chat: Chat, pieces: number) {
  // A prompt whose count was aborted has no number.
  const counts = chat.promptTokens > 0 && { usage: usage(chat, pieces) };
  return { type: 'done', finish_reason: 'stop', ...counts } satisfies WsDone;
}

export function errorMessage({ message, code, param }: ApiError) {
  return { type: 'error', message, code, param } satisfies WsError;
}
