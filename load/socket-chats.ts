import type { Ending, Flight } from './engine/flight.ts';
import type { Endpoint, Wording } from './engine/job.ts';
import { readMessage } from './engine/reading.ts';
import { endingOfStatus } from './engine/transport/transport.ts';
import { WebSocketTransport } from './engine/transport/websocket.ts';
import type { Ask } from './engine/wording.ts';
import type { OpenStream } from './target.ts';
import { type SocketAnswer, socketAnswer, socketStatus, UntimedFlight } from './tier/socket-answer.ts';

/** A chat that takes longer to its end, or a held one to its first piece, is answered with neither. */
const timeoutMs = 60_000;

type Words = Pick<Ask, 'messages' | 'maxTokens'>;

/** Chats over WebSockets, each on one of its own. */
export class SocketChats {
  readonly #transport: WebSocketTransport;
  readonly #signal: AbortSignal;

  /** @param signal ends whatever is asked */
  constructor(endpoint: Endpoint, wording: Wording, signal: AbortSignal) {
    this.#transport = new WebSocketTransport(endpoint, wording);
    this.#signal = signal;
  }

  /** Rejects where the signal ends it. */
  async chat(words: Words): Promise<SocketAnswer> {
    const flight = new UntimedFlight();
    const over = AbortSignal.any([this.#signal, AbortSignal.timeout(timeoutMs)]);
    const ending = await new Promise<Ending>((resolve) => this.#send(words, flight, over, resolve));
    this.#signal.throwIfAborted();
    return socketAnswer(ending, flight);
  }

  /** Chats on one socket, one after the other, until one is not answered. Rejects where the signal ends them. */
  async series(words: Words, count: number): Promise<SocketAnswer[]> {
    const answers: SocketAnswer[] = [];
    const socket = this.#transport.dial();
    const leave = () => socket.terminate();
    const timer = setTimeout(leave, timeoutMs * count);
    this.#signal.addEventListener('abort', leave);
    try {
      await new Promise<void>((resolve) => {
        let flight = new UntimedFlight();
        const take = (ending: Ending) => {
          answers.push(socketAnswer(ending, flight));
          flight = new UntimedFlight();
          if (ending === 'succeeded' && answers.length < count) socket.send(this.#transport.startOf(words));
          else resolve();
        };
        const lose = () => answers.length < count && take({ failed: 'connection lost' });
        socket
          .on('open', () => socket.send(this.#transport.startOf(words)))
          .on('message', (data) => {
            const ending = readMessage(String(data), flight, performance.now());
            if (ending) take(ending);
          })
          .on('unexpected-response', (_request, { statusCode = 0 }) => take(endingOfStatus(statusCode)))
          .on('error', lose)
          .on('close', lose);
      });
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener('abort', leave);
      socket.terminate();
    }
    this.#signal.throwIfAborted();
    return answers;
  }

  /** Begins a chat, and waits for its first piece, or its end; `leaving` closes its socket. */
  open(words: Words, leaving: AbortSignal): Promise<OpenStream> {
    return new Promise((resolve) => {
      let ended = false;
      const impatience = new AbortController();
      const timer = setTimeout(() => impatience.abort(), timeoutMs);
      const tell = (status: number) => {
        clearTimeout(timer);
        resolve({ status, first: Promise.resolve(() => ended) });
      };
      const over = AbortSignal.any([this.#signal, leaving, impatience.signal]);
      this.#send(words, new UntimedFlight(() => tell(200)), over, (ending) => {
        ended = true;
        tell(socketStatus(ending));
      });
    });
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #send(words: Words, flight: Flight, over: AbortSignal, ended: (ending: Ending) => void): void {
    const leave = () => end('unfinished');
    const end = this.#transport.send({ transport: 'websocket', ...words }, flight, (ending) => {
      over.removeEventListener('abort', leave);
      ended(ending);
    });
    over.addEventListener('abort', leave);
    if (over.aborted) leave();
  }
}
