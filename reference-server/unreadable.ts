import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { openExchange } from './admission.ts';
import { toApiError } from './failure.ts';
import { errorReply, finish } from './respond.ts';
import type { Service } from './service.ts';

/** Answers what the HTTP parser could not read, so that there is no request and no response object. */
export async function answerUnreadable(service: Service, error: unknown, socket: Socket): Promise<void> {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const exchange = await openExchange(service, { headers: {}, socket });
  const refusal = toApiError(error, service.onFault);
  const { status, headers, body } = finish(service, exchange, errorReply(refusal));
  const text = JSON.stringify(body);
  const lines = Object.entries({
    ...headers,
    'Content-Length': String(Buffer.byteLength(text)),
    Connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`);
  socket.destroySoon();
}
