import type { Delivery } from '../specs/evidence.ts';
import type { DeliveryExcerpt, Excerpt } from '../specs/report.ts';
import { decodeBody } from './body.ts';
import type { Reply } from './reply.ts';

const longestBody = 1500;

/** An exchange as a report shows it. Secrets were masked when it was recorded. */
export function excerpt(reply: Reply, baseUrl: string): Excerpt {
  const { exchange } = reply;
  const { probe, step, request, response, failure = exchange.socket?.failure } = exchange;
  return {
    probe,
    step,
    request: {
      method: request.method,
      url: baseUrl + request.path,
      headers: request.headers,
      ...(request.body === undefined ? {} : { body: cut(request.body) }),
    },
    ...(response === undefined
      ? {}
      : { response: { status: response.status, headers: response.headers, body: cut(reply.text) } }),
    ...(exchange.socket === undefined ? {} : { messages: messages(reply) }),
    ...(failure === undefined ? {} : { failure }),
  };
}

const mostMessages = 24;

/** The first and the last messages of a socket. */
function messages({ exchange, messages }: Reply): NonNullable<Excerpt['messages']> {
  const shown = messages.map(({ frame, text }) => ({
    from: frame.from,
    at: Math.round(frame.at - exchange.sentAt),
    text:
      frame.opcode === 'text' ? cut(text) : `(${[frame.opcode, frame.code, cut(frame.text ?? '')].join(' ').trim()})`,
  }));
  if (shown.length <= mostMessages) return shown;
  const half = mostMessages / 2;
  const left = `(${shown.length - mostMessages} messages left out)`;
  return [...shown.slice(0, half), { from: '…', at: shown[half]?.at ?? 0, text: left }, ...shown.slice(-half)];
}

export function deliveryExcerpt({ method, path, headers, body, answered }: Delivery): DeliveryExcerpt {
  return { method, path, headers, body: cut(decodeBody([body], undefined).text), answered };
}

/** The beginning and the end, where what is wrong with a long body mostly stands. */
function cut(text: string): string {
  if (text.length <= longestBody) return text;
  const half = longestBody / 2;
  return `${text.slice(0, half)}\n… (${text.length - longestBody} characters left out) …\n${text.slice(-half)}`;
}
