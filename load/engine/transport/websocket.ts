import WebSocket from 'ws';
import type { Ending, Flight } from '../flight.ts';
import type { Endpoint, Wording } from '../job.ts';
import { readMessage } from '../reading.ts';
import { keyIn } from '../socket-key.ts';
import { type Ask, membersOf } from '../wording.ts';
import { endingOfStatus, failureOf, type Transport } from './transport.ts';

/** The chat endpoint over WebSockets: a socket a request, closed when the answer is done, as the document shows. */
export class WebSocketTransport implements Transport {
  readonly #url: string;
  readonly #options: WebSocket.ClientOptions;
  readonly #wording: Wording;
  readonly #startKey: object;
  readonly #open = new Set<WebSocket>();
  #most = 0;

  constructor({ url, key, headers, ca, insecure }: Endpoint, wording: Wording) {
    this.#wording = wording;
    const held = keyIn(wording.keyPlace ?? 'header', key);
    this.#startKey = held.start;
    this.#url = `${url.replace(/^http/, 'ws')}/ws/chat${held.query}`;
    this.#options = {
      headers: { ...held.headers, ...headers },
      rejectUnauthorized: !insecure,
      perMessageDeflate: false,
      ...(ca !== undefined && { ca }),
    };
  }

  get sockets(): number {
    return this.#most;
  }

  /** Opens a socket, for whoever asks more than once on it. */
  dial(): WebSocket {
    const socket = new WebSocket(this.#url, this.#options);
    this.#open.add(socket);
    this.#most = Math.max(this.#most, this.#open.size);
    return socket.on('close', () => this.#open.delete(socket));
  }

  /** The message that asks. */
  startOf(ask: Pick<Ask, 'messages' | 'maxTokens'>): string {
    return JSON.stringify({ type: 'start', ...this.#startKey, ...membersOf(this.#wording, ask) });
  }

  send(ask: Ask, flight: Flight, ended: (ending: Ending) => void): (ending: Ending) => void {
    const socket = this.dial();
    let isOver = false;
    const finish = (ending: Ending): void => {
      if (isOver) return;
      isOver = true;
      ended(ending);
      if (ending === 'succeeded') socket.close();
      else socket.terminate();
    };
    socket
      .on('open', () => {
        flight.sent = performance.now();
        socket.send(this.startOf(ask));
      })
      .on('message', (data) => {
        const ending = readMessage(String(data), flight, performance.now());
        if (ending) finish(ending);
      })
      .on('unexpected-response', (_request, response) => finish(endingOfStatus(response.statusCode ?? 0)))
      .on('error', (error) => finish(failureOf(error)))
      .on('close', () => finish({ failed: 'connection lost' }));
    return finish;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.terminate();
  }
}
