import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { checkLimits, checkPhase, type Exchange, openExchange } from '../admission.ts';
import { ApiError } from '../api-error.ts';
import { toApiError } from '../failure.ts';
import { headersOfAll } from '../respond.ts';
import type { Service } from '../service.ts';
import { answerOnSocket } from '../unreadable.ts';
import { watchReader } from '../watch-reader.ts';
import { channelOver } from './channel.ts';
import { converse } from './conversation.ts';
import { keyInRequest, refuseSocketKey } from './key.ts';
import { plainSocket, type Scene } from './socket-behaviour.ts';

export const socketPath = '/v1/ws/chat';

/** The sockets of a server. */
export interface Sockets {
  /** How many there are. */
  readonly open: number;
  /** Tells every client to leave, once its generation is over. */
  drain(): void;
  /** Ends every socket at once. */
  close(): void;
}

/**
 * Takes the requests for a WebSocket at {@link socketPath}. Any other that asks to switch protocols is served as if it
 * had not asked, as HTTP allows.
 * @param messageLimit bytes of the largest message of a client
 */
export function acceptSockets(service: Service, server: Server, messageLimit: number): Sockets {
  const behaviour = { ...plainSocket, ...service.behaviour.socket };
  const exchanges = new WeakMap<IncomingMessage, Exchange>();
  const farewells = new Set<() => void>();
  const sockets = new WebSocketServer({ noServer: true, maxPayload: messageLimit, autoPong: false });
  let closed = false;

  sockets.on('headers', (lines, request) => {
    const exchange = exchanges.get(request);
    const headers = behaviour.head(exchange ? headersOfAll(exchange) : {});
    lines.push(...Object.entries(headers).map(([name, value]) => `${name}: ${value}`));
  });
  sockets.on('wsClientError', (error, stream, request) => {
    const refusal = new ApiError('invalid_request', `this is no request for a WebSocket: ${error.message}`);
    const exchange = exchanges.get(request);
    if (exchange) answerOnSocket(service, exchange, refusal, stream);
    else stream.destroy();
  });

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    // Node no longer looks after this connection.
    stream.on('error', () => stream.destroy());
    if (!asksForSocket(request)) return serveAsHttp(server, request, stream, head);
    open(request, stream, head).catch((error) => {
      service.onFault(error);
      stream.destroy();
    });
  });

  async function open(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const given = keyInRequest(request, behaviour.keyPlaces);
    const headers = { ...request.headers };
    delete headers.authorization;
    if (given) headers.authorization = given.authorization;
    const { method, url, socket } = request;
    const exchange = await openExchange(
      service,
      { method, url, headers, socket },
      socketPath,
      !behaviour.countsUpgrade,
    );
    try {
      check(exchange, { exchange, received: undefined, keyPlace: given?.place, running: false });
    } catch (error) {
      answerOnSocket(service, exchange, toApiError(error, service.onFault), stream);
      return;
    }
    if (!stream.readable || !stream.writable) {
      // Its client left while it was counted.
      stream.destroy();
      return service.watch.requestEnded(exchange, undefined, false);
    }
    exchanges.set(request, exchange);
    sockets.handleUpgrade(request, stream, head, (socket) => {
      if (closed) socket.terminate();
      service.watch.requestEnded(exchange, 101, true);
      const unwatch = watchReader(request.socket, service.sendTimeoutMs, () => {
        service.watch.readerCut(exchange);
        socket.terminate();
      });
      socket.once('close', unwatch);
      const channel = channelOver(socket, stream);
      const sayFarewell = converse({ service, behaviour, opened: exchange, keyPlace: given?.place, socket, channel });
      farewells.add(sayFarewell);
      socket.once('close', () => farewells.delete(sayFarewell));
    });
  }

  function check(exchange: Exchange, scene: Scene): void {
    checkLimits(service, exchange);
    checkPhase(service);
    const refused = behaviour.decide(undefined, 'upgrade', scene);
    if (refused) throw refused;
    // Without a key a socket may still be opened where start can bring one.
    const mayFollow = scene.keyPlace === undefined && behaviour.keyPlaces.includes('start');
    const refusal = behaviour.decide(mayFollow ? undefined : refuseSocketKey(exchange, scene), 'key', scene);
    if (refusal) throw refusal;
  }

  return {
    get open() {
      return sockets.clients.size;
    },
    drain() {
      for (const sayFarewell of farewells) sayFarewell();
    },
    close() {
      closed = true;
      for (const socket of sockets.clients) socket.terminate();
    },
  };
}

function asksForSocket({ method, url = '', headers }: IncomingMessage): boolean {
  return method === 'GET' && url.split('?', 1)[0] === socketPath && headers.upgrade?.toLowerCase() === 'websocket';
}

/** Gives a connection back to the HTTP server, with a request that does not ask to switch protocols. */
function serveAsHttp(server: Server, request: IncomingMessage, stream: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (!/^(upgrade|connection)$/i.test(name)) lines.push(`${name}: ${rawHeaders[index + 1]}`);
  }
  stream.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', stream);
}
