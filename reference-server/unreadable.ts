import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Exchange, noRoute, openExchange } from './admission.ts';
import type { ApiError } from './api-error.ts';
import { toApiError } from './failure.ts';
import { errorReply, finish } from './respond.ts';
import type { Service } from './service.ts';

/** Answers what the HTTP parser could not read, so that there is no request and no response object. */
export async function answerUnreadable(service: Service, error: unknown, socket: Socket): Promise<void> {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const exchange = await openExchange(service, { headers: {}, socket }, noRoute);
  answerOnSocket(service, exchange, toApiError(error, service.onFault), socket);
}

/** Refuses a request on a connection that has no response object, and ends the connection. */
export function answerOnSocket(service: Service, exchange: Exchange, refusal: ApiError, socket: Duplex): void {
  const { status, headers, body } = finish(service, exchange, errorReply(refusal));
  const text = JSON.stringify(body);
  const lines = Object.entries({
    ...headers,
    'Content-Length': String(Buffer.byteLength(text)),
    Connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`, (error?: Error | null) => {
    service.watch.requestEnded(exchange, error ? undefined : status, !error);
    socket.destroy();
  });
}
