import type { Exchange } from '../admission.ts';
import type { AnswerEvent } from '../answer-events.ts';
import type { Chat } from '../chat-answer.ts';
import type { Service } from '../service.ts';
import { payloadOfCall, payloadOfEnd, payloadOfResult } from './payload.ts';

interface Told {
  /** The same events. */
  readonly events: AsyncIterable<AnswerEvent>;
  /** Tells that the generation is done, if its end was seen. @param id that of the answer as it was sent */
  end(id: unknown): void;
}

/** Tells webhooks of the tool calls among the events of a chat as they pass, and of the end of the chat when asked to. */
export function tellWebhooks(
  { webhooks, clock }: Service,
  exchange: Exchange,
  { model }: Chat,
  events: AsyncIterable<AnswerEvent>,
): Told {
  let last: AnswerEvent | undefined;
  return {
    events: (async function* () {
      for await (const event of events) {
        if (event.type === 'tool_call') webhooks.tell(exchange, payloadOfCall(clock(), event.call));
        if (event.type === 'tool_result') webhooks.tell(exchange, payloadOfResult(clock(), event.call, event.result));
        last = event;
        yield event;
      }
    })(),
    end(id) {
      if (last?.type === 'end') webhooks.tell(exchange, payloadOfEnd(clock(), id, model, last));
    },
  };
}
