import type { ApiError } from './api-error.ts';
import { unavailable } from './phase.ts';

/** A chat's way to a slot. */
export interface Turn {
  /** Resolves when the chat has a slot, and no later than when the signal is aborted. */
  come(signal: AbortSignal): Promise<void>;
  /** Gives up the slot, or the place in the queue; to leave again changes nothing. */
  leave(): void;
}

/** Generations at the same time, of all accounts together, and a queue of chats that wait for one to end. */
export class Slots {
  /** Generations at the same time. */
  readonly total: number;
  readonly #longestQueue: number;
  readonly #waiting = new Set<() => void>();
  #busy = 0;
  #taken = 0;

  constructor(total: number, longestQueue: number) {
    this.total = total;
    this.#longestQueue = longestQueue;
  }

  get busy(): number {
    return this.#busy;
  }

  /** Chats that were taken and do not generate: their prompts are being read, or they wait. */
  get queued(): number {
    return this.#taken - this.#busy;
  }

  /** Takes a chat, unless every slot is busy and the queue is full. */
  take(): Turn | ApiError {
    if (this.#taken >= this.total + this.#longestQueue) {
      return unavailable(
        `as many chats are being answered (${this.total}) and wait (${this.#longestQueue}) as this server takes`,
      );
    }
    this.#taken += 1;
    let state: 'queued' | 'busy' | 'left' = 'queued';
    let wake = () => {};
    const begin = () => {
      state = 'busy';
      this.#busy += 1;
    };
    return {
      come: async (signal) => {
        if (state !== 'queued' || signal.aborted) return;
        if (this.#busy < this.total) return begin();
        await new Promise<void>((resolve) => {
          wake = () => {
            this.#waiting.delete(wake);
            signal.removeEventListener('abort', wake);
            if (!signal.aborted && state === 'queued') begin();
            resolve();
          };
          this.#waiting.add(wake);
          signal.addEventListener('abort', wake);
        });
      },
      leave: () => {
        if (state === 'left') return;
        this.#taken -= 1;
        const wasBusy = state === 'busy';
        state = 'left';
        wake();
        if (!wasBusy) return;
        this.#busy -= 1;
        const [first] = this.#waiting;
        first?.();
      },
    };
  }
}
