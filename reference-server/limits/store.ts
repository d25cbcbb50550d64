import type { Clock } from './clock.ts';
import { memoryPlaces } from './places.ts';
import { type WindowShape, windowCounter } from './windows.ts';

export const secondsOfDay = 24 * 60 * 60;

/** What an account took of a limit, as far as it counts now. */
export interface Taken {
  readonly taken: number;
  /** Unix seconds at which the limit is whole again, or, of windows that slide, at which a part of it is. */
  readonly reset: number;
}

/** Counts by account. */
export interface Counter {
  /** @param limit what the account may take, which only some shapes of windows go by */
  add(account: string, amount: number, limit: number): Promise<Taken>;
  read(account: string, limit: number): Promise<Taken>;
}

/** A chat's place among those that its account may run at the same time. */
export interface Place {
  /** How many the account runs, this one included. */
  readonly running: number;
  /** Makes room for another; to release it again changes nothing. */
  release(): Promise<void>;
}

export interface Places {
  /** A place, or `undefined` where the account has `most` already. */
  take(account: string, most: number): Promise<Place | undefined>;
}

/** Where the limits are counted. Whatever cannot be reached rejects with {@link StoreUnavailable}. */
export interface LimitStore {
  readonly requests: Counter;
  /** Tokens of a day. */
  readonly tokens: Counter;
  readonly places: Places;
  /** False while it cannot be reached; absent where it always can. */
  readonly available?: boolean;
  close(): Promise<void>;
}

/** The counts cannot be reached now: the API says 503. */
export class StoreUnavailable extends Error {}

/** The limits cannot be kept where they are to be. The message says why and what to do. */
export class BadStore extends Error {}

/** Counts that end with the server. */
export function memoryStore(clock: Clock, windowSeconds: number, shape: WindowShape = 'fixed'): LimitStore {
  return {
    requests: windowCounter(shape, clock, windowSeconds),
    tokens: windowCounter('fixed', clock, secondsOfDay),
    places: memoryPlaces(),
    close: async () => {},
  };
}
