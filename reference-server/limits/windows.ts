import type { Clock } from './clock.ts';
import type { Counter, Taken } from './store.ts';

/**
 * - `fixed`: a window begins with a first use and ends on a whole second, which the headers can name exactly;
 * - `aligned`: as `fixed`, but windows begin with the minute of the clock, or with what else their length divides;
 * - `sliding`: what was taken counts until a window's length later;
 * - `bucket`: what was taken comes back little by little, all of the limit in a window's length;
 * - `endless`: as `fixed`, but a window whose limit was passed is told to end, and never does.
 */
export type WindowShape = 'fixed' | 'aligned' | 'sliding' | 'bucket' | 'endless';

/** What an account took: of a fixed window up to `at`, its end; else at the time `at`. Unix milliseconds. */
interface Entry {
  readonly amount: number;
  readonly at: number;
}

interface Shape {
  /** What still counts of what was taken. */
  current(entries: readonly Entry[], now: number, limit: number): readonly Entry[];
  /** One use more, of an account for which `entries` count. */
  add(entries: readonly Entry[], amount: number, now: number, limit: number): readonly Entry[];
  reset(entries: readonly Entry[], now: number, limit: number): number;
}

const shapes: Readonly<Record<WindowShape, (ms: number) => Shape>> = { fixed, aligned, sliding, bucket, endless };

/**
 * Counts in windows, in the memory of this server.
 * @param seconds length of a window, whole
 */
export function windowCounter(shape: WindowShape, clock: Clock, seconds: number): Counter {
  const { current, add, reset } = shapes[shape](seconds * 1000);
  const accounts = new Map<string, readonly Entry[]>();
  const state = (entries: readonly Entry[], now: number, limit: number): Taken => ({
    taken: Math.ceil(sum(entries)),
    reset: reset(entries, now, limit),
  });
  return {
    async add(account, amount, limit) {
      const now = clock();
      const entries = add(current(accounts.get(account) ?? [], now, limit), amount, now, limit);
      accounts.set(account, entries);
      if (accounts.size > mostAccounts) forget(accounts, (left) => current(left, now, limit).length === 0);
      return state(entries, now, limit);
    },
    async read(account, limit) {
      const now = clock();
      return state(current(accounts.get(account) ?? [], now, limit), now, limit);
    },
  };
}

/** Every address that gives no key is an account; beyond this many, those with nothing taken are forgotten. */
const mostAccounts = 10_000;

function forget(accounts: Map<string, readonly Entry[]>, isEmpty: (entries: readonly Entry[]) => boolean): void {
  for (const [account, entries] of accounts) if (isEmpty(entries)) accounts.delete(account);
}

function sum(entries: readonly Entry[]): number {
  return entries.reduce((total, { amount }) => total + amount, 0);
}

function fixed(ms: number): Shape {
  return windowsThatEnd((now) => Math.floor((now + ms) / 1000) * 1000);
}

function aligned(ms: number): Shape {
  return windowsThatEnd((now) => (Math.floor(now / ms) + 1) * ms);
}

function windowsThatEnd(nextEnd: (now: number) => number): Shape {
  return {
    current: (entries, now) => entries.filter(({ at }) => at > now),
    add: (entries, amount, now) => [{ amount: sum(entries) + amount, at: entries[0]?.at ?? nextEnd(now) }],
    reset: ([entry], now) => (entry?.at ?? nextEnd(now)) / 1000,
  };
}

function sliding(ms: number): Shape {
  return {
    current: (entries, now) => entries.filter(({ at }) => at > now - ms),
    // What is refused is not taken; it is reported as over the limit all the same.
    add: (entries, amount, now, limit) => {
      const taken = entries.filter((_, index) => index < limit);
      return [...taken, { amount, at: taken.length < limit ? now : now - ms }];
    },
    reset: ([oldest], now) => Math.ceil(((oldest?.at ?? now) + ms) / 1000),
  };
}

function bucket(ms: number): Shape {
  const drained = ([entry]: readonly Entry[], now: number, limit: number) =>
    entry ? Math.max(0, Math.min(entry.amount, limit) - (limit * (now - entry.at)) / ms) : 0;
  return {
    current(entries, now, limit) {
      const amount = drained(entries, now, limit);
      return amount === 0 ? [] : [{ amount, at: now }];
    },
    add: (entries, amount, now) => [{ amount: sum(entries) + amount, at: now }],
    reset: (entries, now, limit) => Math.ceil((now + (Math.min(sum(entries), limit) * ms) / limit) / 1000),
  };
}

function endless(ms: number): Shape {
  const { add } = fixed(ms);
  return {
    current: (entries, now, limit) => entries.filter(({ amount, at }) => at > now || amount > limit),
    add,
    reset([entry], now) {
      const end = entry?.at ?? now + ms;
      return Math.floor((end > now ? end : end + Math.ceil((now - end) / ms) * ms) / 1000);
    },
  };
}
