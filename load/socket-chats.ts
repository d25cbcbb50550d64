import { type Ending, Flight } from './engine/flight.ts';
import type { Endpoint, Wording } from './engine/job.ts';
import { WebSocketTransport } from './engine/transport/websocket.ts';
import type { Ask } from './engine/wording.ts';
import type { OpenStream } from './target.ts';

/** What came of a chat over a socket. */
export interface SocketAnswer {
  /** 200 and 429 as over REST; 0 for what is neither. */
  readonly status: number;
  /** Of prompt and answer together, where `done` reports them. */
  readonly tokens: number | undefined;
}

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
    const flight = new Piecewise(() => {});
    const ending = await new Promise<Ending>((resolve) => this.#send(words, flight, this.#signal, resolve));
    this.#signal.throwIfAborted();
    const { promptTokens, outputTokens } = flight;
    const isCounted = promptTokens !== undefined && outputTokens !== undefined;
    return { status: statusOf(ending), tokens: isCounted ? promptTokens + outputTokens : undefined };
  }

  /** Begins a chat, and waits for its first piece, or its end; `leaving` closes its socket. */
  open(words: Words, leaving: AbortSignal): Promise<OpenStream> {
    return new Promise((resolve) => {
      let ended = false;
      const tell = (status: number) => resolve({ status, first: Promise.resolve(() => ended) });
      this.#send(words, new Piecewise(() => tell(200)), AbortSignal.any([this.#signal, leaving]), (ending) => {
        ended = true;
        tell(statusOf(ending));
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

/** Tells of each piece of content. */
class Piecewise extends Flight {
  readonly #onPiece: () => void;

  constructor(onPiece: () => void) {
    const now = performance.now();
    super(now, now, false, () => {});
    this.#onPiece = onPiece;
  }

  override content(at: number): void {
    super.content(at);
    this.#onPiece();
  }
}

function statusOf(ending: Ending): number {
  return ending === 'succeeded' ? 200 : ending === 'limited' ? 429 : 0;
}
