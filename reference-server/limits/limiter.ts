import { type ApiError, rateLimited } from '../api-error.ts';
import type { Account } from '../keys/keyring.ts';
import { type Allowance, allowance } from './allowance.ts';
import { WindowCounter } from './window-counter.ts';

const secondsOfDay = 24 * 60 * 60;

interface RequestState {
  /** Requests in the current window, refused ones included. */
  readonly taken: number;
  readonly allowance: Allowance;
  /** Present where the limit is passed. */
  readonly refusal?: ApiError;
}

/** A chat's place among those that its account may run at the same time; to release it again changes nothing. */
export interface Slot {
  release(): void;
}

/** Enforces the limits of accounts. A refusal is a value: whoever asks decides what becomes of it. */
export class Limiter {
  readonly #requests: WindowCounter;
  readonly #tokens = new WindowCounter(secondsOfDay);
  readonly #running = new Map<string, number>();

  /** @param windowSeconds length of the window of the request limit */
  constructor(windowSeconds: number) {
    this.#requests = new WindowCounter(windowSeconds);
  }

  /** Counts one request. */
  async countRequest({ id, limits }: Account): Promise<RequestState> {
    const { taken, reset } = await this.#requests.add(id, 1);
    const state = allowance(limits.requestsPerMinute, taken, reset);
    if (taken <= state.limit) return { taken, allowance: state };
    return {
      taken,
      allowance: state,
      refusal: rateLimited(`the limit of ${state.limit} requests a minute is reached`, state),
    };
  }

  /** The state of the request limit, for a request that does not count. */
  async readRequests({ id, limits }: Account): Promise<RequestState> {
    const { taken, reset } = await this.#requests.read(id);
    return { taken, allowance: allowance(limits.requestsPerMinute, taken, reset) };
  }

  /** Whether the account has tokens left today; the last request of a day may go over what is left. */
  async refuseTokens({ id, limits }: Account): Promise<ApiError | undefined> {
    const { taken, reset } = await this.#tokens.read(id);
    if (taken < limits.tokensPerDay) return undefined;
    const message = `the limit of ${limits.tokensPerDay} tokens a day is reached`;
    return rateLimited(message, allowance(limits.tokensPerDay, taken, reset));
  }

  async countTokens({ id }: Account, tokens: number): Promise<void> {
    await this.#tokens.add(id, tokens);
  }

  /** Whether the account already runs as many generations as it may. */
  refuseSlot({ id, limits }: Account): ApiError | undefined {
    const running = this.#running.get(id) ?? 0;
    if (running < limits.concurrent) return undefined;
    const message = `the limit of ${limits.concurrent} requests at the same time is reached`;
    return rateLimited(message, allowance(limits.concurrent, running, Math.ceil(Date.now() / 1000) + 1));
  }

  takeSlot({ id }: Account): Slot {
    this.#running.set(id, (this.#running.get(id) ?? 0) + 1);
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        const left = (this.#running.get(id) ?? 0) - 1;
        if (left > 0) this.#running.set(id, left);
        else this.#running.delete(id);
      },
    };
  }
}
