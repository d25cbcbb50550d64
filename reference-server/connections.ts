import type { Server, ServerResponse } from 'node:http';
import { type Socket, Server as TcpServer } from 'node:net';
import type { Service } from './service.ts';
import { watchReader } from './watch-reader.ts';

interface Listener {
  /** The response is sent, or its connection has ended before it was sent whole. */
  ended(isWhole: boolean): void;
  /** Its connection is about to be ended, since the client takes nothing of it. */
  stalled(): void;
}

/** The connections of a server, from the moment at which it is followed. */
export class Connections {
  readonly #server: Server;
  readonly #service: Pick<Service, 'activity' | 'sendTimeoutMs'>;
  readonly #open = new Set<Socket>();
  readonly #answers = new Set<ServerResponse>();
  #draining = false;

  constructor(server: Server, service: Pick<Service, 'activity' | 'sendTimeoutMs'>) {
    this.#server = server;
    this.#service = service;
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
    // One that becomes a WebSocket is no longer ours; one that goes back to HTTP comes as a connection again.
    server.on('upgrade', (_, socket) => this.#open.delete(socket as Socket));
  }

  /** Follows a response until it is sent or its connection ends. */
  answer(response: ServerResponse, { ended, stalled }: Listener): void {
    const { socket } = response.req;
    const over = this.#service.activity.begin();
    let isWhole = false;
    // It finishes, too, when its connection is ended under it.
    response.prependListener('finish', () => {
      isWhole = !socket.destroyed;
    });
    const unwatch = watchReader(socket, this.#service.sendTimeoutMs, () => {
      // Of answers that wait for each other the first one stalls.
      if (socket.destroyed) return;
      stalled();
      socket.destroy();
    });
    const end = () => {
      // The close of a connection brings that of its response, while it is still being told to all who listen.
      if (!this.#answers.delete(response)) return;
      unwatch();
      response.off('close', end);
      socket.off('close', end);
      over();
      ended(isWhole);
    };
    this.#answers.add(response);
    if (this.#draining) response.shouldKeepAlive = false;
    response.on('close', end);
    // A response that waits behind another of its connection never closes, and any number may wait.
    socket.setMaxListeners(0);
    socket.on('close', end);
    if (socket.destroyed) end();
  }

  /** Takes no more connections and ends those without a request. Others end after the next answer that can say so. */
  drain(): void {
    this.#draining = true;
    // The close of HTTP's own server would also end connections to which an answer is still being written.
    TcpServer.prototype.close.call(this.#server);
    for (const response of this.#answers) response.shouldKeepAlive = false;
    const busy = new Set([...this.#answers].map(({ req }) => req.socket));
    for (const socket of this.#open) if (!busy.has(socket)) socket.destroy();
  }
}
