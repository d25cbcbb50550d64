import type { ServerResponse } from 'node:http';
import type { Exchange } from './admission.ts';
import type { ApiError } from './api-error.ts';
import type { Answer, AnswerKind, StreamPart } from './behaviour.ts';
import { allowanceHeaders } from './limits/allowance.ts';
import type { Service } from './service.ts';

const version = { api_version: '1.0', deprecation_date: null } as const;

/** What differs from one JSON response to another. */
export interface Reply {
  readonly kind: AnswerKind;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
}

/** Sends one JSON response, and gives it back as it was sent. */
export async function respond(
  service: Service,
  exchange: Exchange,
  response: ServerResponse,
  reply: Reply,
): Promise<Answer> {
  const answer = finish(service, exchange, reply);
  const body = JSON.stringify(answer.body);
  const headers = { ...answer.headers, 'Content-Length': String(Buffer.byteLength(body)) };
  await service.behaviour.send(response, { status: answer.status, headers, body }, answer, exchange);
  return answer;
}

/** Sends one event stream. */
export async function respondWithStream(
  service: Service,
  exchange: Exchange,
  response: ServerResponse,
  parts: AsyncIterable<StreamPart>,
): Promise<void> {
  const { behaviour } = service;
  const headers = { ...headersOf(service, exchange, 'text/event-stream'), 'Cache-Control': 'no-cache' };
  const answer = behaviour.answer({ kind: 'stream', status: 200, headers }, exchange);
  const body = encode(behaviour.parts(parts, exchange), behaviour.frame);
  await behaviour.send(response, { status: answer.status, headers: answer.headers, body }, answer, exchange);
}

/** The whole answer of a JSON response, with what every response carries. */
export function finish(service: Service, exchange: Exchange, reply: Reply): Answer {
  return service.behaviour.answer(
    {
      ...reply,
      status: reply.status ?? 200,
      headers: { ...headersOf(service, exchange, 'application/json'), ...reply.headers },
      body: { ...reply.body, ...version },
    },
    exchange,
  );
}

export function errorReply(error: ApiError): Reply {
  const { status, headers, allowance } = error;
  return {
    kind: 'error',
    status,
    headers: { ...headers, ...(allowance && allowanceHeaders(allowance)) },
    body: errorBody(error),
  };
}

export function errorBody({ message, type, param, code }: ApiError) {
  return { error: { message, type, param, code } };
}

function headersOf({ clock }: Service, exchange: Exchange, mediaType: string): Record<string, string> {
  return {
    Date: new Date(clock()).toUTCString(),
    'Content-Type': `${mediaType}; charset=utf-8`,
    ...headersOfAll(exchange),
  };
}

/** The headers of every response, with a body or without. */
export function headersOfAll({ id, allowance }: Exchange): Record<string, string> {
  return { 'X-API-Version': version.api_version, 'X-Request-Id': id, ...allowanceHeaders(allowance) };
}

async function* encode(parts: AsyncIterable<StreamPart>, frame: (data: string) => string): AsyncGenerator<string> {
  for await (const part of parts) yield frame(typeof part === 'string' ? part : JSON.stringify(part));
}
