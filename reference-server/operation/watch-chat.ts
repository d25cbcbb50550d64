import type { Exchange } from '../admission.ts';
import type { AnswerEvent } from '../answer-events.ts';
import type { Chat as CheckedChat } from '../chat-answer.ts';
import type { Service } from '../service.ts';
import type { Chat, Transport } from './watcher.ts';

/** The same events; who runs the server learns when they came and how they ended. */
export async function* watchChat(
  { watch }: Service,
  exchange: Exchange,
  { id, promptTokens }: CheckedChat,
  transport: Transport,
  events: AsyncIterable<AnswerEvent>,
): AsyncGenerator<AnswerEvent> {
  const chat: Chat = {
    id,
    transport,
    promptTokens,
    completionTokens: 0,
    firstTokenAt: undefined,
    endedAt: undefined,
    outcome: 'aborted',
  };
  exchange.chat = chat;
  try {
    for await (const event of events) {
      if (event.type === 'end') {
        chat.outcome = event.finishReason;
        chat.promptTokens = event.promptTokens;
        chat.completionTokens = event.completionTokens;
      } else if (event.type === 'text' || event.type === 'arguments') {
        chat.firstTokenAt ??= performance.now();
        chat.completionTokens += 1;
      }
      yield event;
    }
  } catch (error) {
    chat.outcome = 'error';
    throw error;
  } finally {
    chat.endedAt = performance.now();
    watch.chatEnded(exchange, chat);
  }
}
