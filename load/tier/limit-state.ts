/** An answer, as far as it tells of limits. */
export interface Headed {
  readonly status: number;
  /** Their names in small letters. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** When it came, in epoch milliseconds. */
  readonly at: number;
}

/** How late a window may end: resets are whole seconds, of a clock that need not be ours. */
export const slackMs = 2_000;

/** What the headers of an answer say of the request limit; a header that is no whole number is absent. */
export interface LimitState {
  readonly limit?: number;
  readonly remaining?: number;
  readonly used?: number;
  /** By this machine's clock, in epoch milliseconds; up to two seconds late, as headers give whole ones. */
  readonly resetAt?: number;
}

export function limitState({ headers, at }: Pick<Headed, 'headers' | 'at'>): LimitState {
  const number = (name: string) => {
    const value = headers[`x-ratelimit-${name}`];
    return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined;
  };
  const state: { -readonly [name in keyof LimitState]: number } = {};
  for (const name of ['limit', 'remaining', 'used'] as const) {
    const value = number(name);
    if (value !== undefined) state[name] = value;
  }
  const reset = number('reset');
  // The target's clock need not be ours: what counts is how long after its own time the reset lies.
  const date = Date.parse(String(headers.date));
  if (reset !== undefined) state.resetAt = at + reset * 1000 - (Number.isFinite(date) ? date : at);
  return state;
}
