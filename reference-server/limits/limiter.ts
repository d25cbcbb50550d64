import { type ApiError, rateLimited } from '../api-error.ts';
import type { Account } from '../keys/keyring.ts';
import { type Allowance, allowance } from './allowance.ts';
import type { Clock } from './clock.ts';
import type { LimitStore, Place, Taken } from './store.ts';

export interface RequestState {
  /** Requests in the current window, refused ones included. */
  readonly taken: number;
  readonly allowance: Allowance;
  /** Present where the limit is passed. */
  readonly refusal?: ApiError;
}

/** Enforces the limits of accounts. A refusal is a value: whoever asks decides what becomes of it. */
export class Limiter {
  readonly #store: LimitStore;
  readonly #clock: Clock;

  constructor(store: LimitStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Counts one request. */
  async countRequest({ id, limits }: Account): Promise<RequestState> {
    const { requestsPerMinute: limit } = limits;
    const { taken, reset } = await this.#store.requests.add(id, 1, limit);
    const state = { taken, allowance: allowance(limit, taken, reset) };
    if (taken <= limit) return state;
    return { ...state, refusal: this.#refuse(`the limit of ${limit} requests a minute is reached`, reset) };
  }

  /** The state of the request limit, for a request that does not count. */
  async readRequests({ id, limits }: Account): Promise<RequestState> {
    const { taken, reset } = await this.#store.requests.read(id, limits.requestsPerMinute);
    return { taken, allowance: allowance(limits.requestsPerMinute, taken, reset) };
  }

  /** Whether the account has tokens left today; the last request of a day may go over what is left. */
  async refuseTokens({ id, limits }: Account): Promise<ApiError | undefined> {
    const { taken, reset } = await this.#store.tokens.read(id, limits.tokensPerDay);
    if (taken < limits.tokensPerDay) return undefined;
    return this.#refuse(`the limit of ${limits.tokensPerDay} tokens a day is reached`, reset);
  }

  async countTokens({ id, limits }: Account, tokens: number): Promise<void> {
    await this.#store.tokens.add(id, tokens, limits.tokensPerDay);
  }

  /** Counts what keys are said to have used of their day, unless more is counted already. */
  async seed(used: readonly { readonly account: Account; readonly tokens: number }[]): Promise<void> {
    for (const { account, tokens } of used) {
      const { taken }: Taken = await this.#store.tokens.read(account.id, account.limits.tokensPerDay);
      if (taken < tokens) await this.countTokens(account, tokens - taken);
    }
  }

  /** A place for one generation, or why there is none. */
  async takePlace({ id, limits }: Account): Promise<Place | ApiError> {
    const place = await this.#store.places.take(id, limits.concurrent);
    // How long the others take is not known.
    const soon = this.#clock() / 1000 + 1;
    return place ?? this.#refuse(`the limit of ${limits.concurrent} requests at the same time is reached`, soon);
  }

  #refuse(message: string, reset: number): ApiError {
    return rateLimited(message, reset - this.#clock() / 1000);
  }
}
