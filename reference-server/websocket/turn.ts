import type { ToolCall, WsContent, WsDone, WsError, WsToolCall, WsToolResult } from '../../specs/wire.ts';
import type { Exchange } from '../admission.ts';
import { ahead } from '../ahead.ts';
import { answerEvents } from '../answer-events.ts';
import type { ApiError } from '../api-error.ts';
import type { Members } from '../change.ts';
import { append, beginningOf, type Chat, usage } from '../chat-answer.ts';
import { watchChat } from '../operation/watch-chat.ts';
import type { Service } from '../service.ts';
import { tellWebhooks } from '../webhooks/tell.ts';

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
  const calls: ToolCall[] = [];
  // A change of what REST answers is none of what a socket does.
  const events = answerEvents(service, exchange, chat, signal, (output) => output);
  const told = tellWebhooks(service, exchange, chat, watchChat(service, exchange, chat, 'websocket', events));
  try {
    for await (const event of ahead(told.events)) {
      if (event.type === 'end') {
        for (const call of calls) yield callMessage(call);
        yield { type: 'done', finish_reason: event.finishReason, usage: usage(event) } satisfies WsDone;
        return;
      }
      if (signal.aborted) break;
      switch (event.type) {
        case 'text':
          yield { type: 'content', content: event.text } satisfies WsContent;
          break;
        case 'call':
          calls.push(beginningOf(event));
          break;
        case 'arguments':
          append(calls[event.index], event.text);
          break;
        case 'tool_call': {
          const { id, name, arguments: text } = event.call;
          yield callMessage({ id, type: 'function', function: { name, arguments: text } });
          break;
        }
        case 'tool_result':
          yield { type: 'tool_result', ...event.result } satisfies WsToolResult;
      }
    }
  } finally {
    // Of an answer that was made, also where its client did not read to the end.
    told.end(chat.id);
  }
  yield stopped(chat, exchange.chat?.completionTokens ?? 0);
}

function callMessage(call: ToolCall) {
  return { type: 'tool_call', tool_call: call } satisfies WsToolCall;
}

/** @param completionTokens those that were made, which may be more than the client was sent */
function stopped({ promptTokens }: Chat, completionTokens: number) {
  // A prompt whose count was aborted has no number.
  const counts = promptTokens > 0 && { usage: usage({ promptTokens, completionTokens }) };
  return { type: 'done', finish_reason: 'stop', ...counts } satisfies WsDone;
}

export function errorMessage({ message, code, param }: ApiError) {
  return { type: 'error', message, code, param } satisfies WsError;
}
