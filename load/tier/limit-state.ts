import type { Answer } from '../target.ts';

/** What the headers of an answer say of the request limit; a header that is no whole number is absent. */
export interface LimitState {
  readonly limit?: number;
  readonly remaining?: number;
  readonly used?: number;
  /** Unix seconds. */
  readonly reset?: number;
}

export function limitState({ headers }: Pick<Answer, 'headers'>): LimitState {
  const state: { -readonly [name in keyof LimitState]: number } = {};
  for (const name of ['limit', 'remaining', 'used', 'reset'] as const) {
    const value = headers[`x-ratelimit-${name}`];
    if (typeof value === 'string' && /^\d+$/.test(value)) state[name] = Number(value);
  }
  return state;
}
