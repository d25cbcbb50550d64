import type { GgufEvent } from './gguf-protocol.ts';

/** What goes to whoever asked with this id. */
export type Addressed = readonly [id: number, event: GgufEvent];

/**
 * Milliseconds until what was gathered is sent. A timer of Node counts whole milliseconds, so that it waits for one and a
 * half on average.
 */
const gatheringMs = 2;

/**
 * Gathers events for one message. To write a message to another process is the dearest part of a token of a tiny model,
 * beside its computation.
 */
export class Outbox {
  readonly #send: (events: readonly Addressed[]) => void;
  #gathered: Addressed[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (events: readonly Addressed[]) => void) {
    this.#send = send;
  }

  /** @param urgent sends it at once, with all that was put before */
  put(id: number, event: GgufEvent, urgent: boolean): void {
    this.#gathered.push([id, event]);
    if (urgent) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), gatheringMs);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#gathered;
    this.#gathered = [];
    this.#send(events);
  }
}
