import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ClientRequest, Credential } from '../../specs/evidence.ts';
import { bytesOf } from '../body.ts';
import type { Reply } from '../reply.ts';
import { NotSent } from '../transport/wire.ts';
import type { Forward } from './client-runner.ts';

/** The made-up keys that stand for the credentials of the target. */
interface StandIns {
  readonly valid: string;
  readonly wrong: string;
  readonly exhausted: string;
}

interface Forwarder {
  /** A case's own base URL is `BASE/CASE/v1`. */
  readonly base: string;
  /** What was asked for so far, in order. */
  readonly requests: readonly ClientRequest[];
  /** Why the run held a request back, where it did. */
  heldBack(): string | undefined;
  close(): Promise<void>;
}

/** Those of one connection, and those that the way to the target sets by itself. */
const ownHeaders = new Set([
  ...['authorization', 'connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-authorization'],
  ...['transfer-encoding', 'upgrade', 'accept-encoding', 'proxy-connection', 'te', 'trailer'],
]);
const relayed = ([name]: readonly [string, string]) => !ownHeaders.has(name.toLowerCase());

/** A server on this machine that sends on what a client's program asks for, and relays the answer as it came. */
export async function openForwarder(keys: StandIns, forward: Forward): Promise<Forwarder> {
  const requests: ClientRequest[] = [];
  let heldBack: string | undefined;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, name = '', path] = /^\/([a-z-]+)\/v1(\/.*)$/.exec(request.url ?? '') ?? [];
    if (path === undefined) {
      response.writeHead(404).end();
      return;
    }
    const body = await text(request);
    const asked: ClientRequest = {
      case: name,
      method: request.method ?? 'GET',
      path,
      credential: credentialOf(request.headers.authorization, keys),
      ...(body !== '' && { body }),
    };
    requests.push(asked);
    relay(await forward(asked, headersOf(request)), response);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (error instanceof NotSent) heldBack ??= error.message;
      response.destroy();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    base: `http://127.0.0.1:${port}`,
    requests,
    heldBack: () => heldBack,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function credentialOf(authorization: string | undefined, { valid, wrong, exhausted }: StandIns): Credential {
  switch (authorization) {
    case `Bearer ${valid}`:
      return 'key';
    case `Bearer ${wrong}`:
      return 'unknown';
    case `Bearer ${exhausted}`:
      return 'exhausted';
    default:
      return 'none';
  }
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const single = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
  return Object.fromEntries(single.filter(relayed));
}

function relay({ failure, exchange }: Reply, response: ServerResponse): void {
  const { response: received } = exchange;
  if (failure || !received) {
    response.destroy();
    return;
  }
  response.writeHead(received.status, received.headers.filter(relayed).flat());
  response.end(Buffer.concat(received.pieces.map(bytesOf)));
}
