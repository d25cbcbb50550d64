import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';

/** What an account took in its current window. */
export interface Taken {
  readonly taken: number;
  /** Unix seconds at which the window ends. */
  readonly reset: number;
}

/**
 * Counts by account in fixed windows, each of which begins with a first use and ends on a whole second, so that the
 * headers can name its end exactly.
 */
export class WindowCounter {
  readonly #seconds: number;
  readonly #counter: RateLimiterMemory;

  /** @param seconds length of a window, whole */
  constructor(seconds: number) {
    this.#seconds = seconds;
    this.#counter = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: seconds });
  }

  async add(account: string, amount: number): Promise<Taken> {
    const customDuration = this.#nextReset() - Date.now() / 1000;
    return read(await this.#counter.penalty(account, amount, { customDuration }));
  }

  async read(account: string): Promise<Taken> {
    const current = await this.#counter.get(account);
    return current === null ? { taken: 0, reset: this.#nextReset() } : read(current);
  }

  #nextReset(): number {
    return Math.floor(Date.now() / 1000 + this.#seconds);
  }
}

function read({ consumedPoints, msBeforeNext }: RateLimiterRes): Taken {
  return { taken: consumedPoints, reset: Math.round((Date.now() + msBeforeNext) / 1000) };
}
