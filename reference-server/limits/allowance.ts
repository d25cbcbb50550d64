/** How much of one limit is used, as the X-RateLimit headers say it. */
export interface Allowance {
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
  /** Unix seconds at which the limit is whole again. */
  readonly reset: number;
}

/** What is used beyond the limit was refused, so it does not count as used. */
export function allowance(limit: number, taken: number, reset: number): Allowance {
  const used = Math.min(taken, limit);
  return { limit, used, remaining: limit - used, reset };
}

export function allowanceHeaders({ limit, used, remaining, reset }: Allowance): Record<string, string> {
  return {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Used': String(used),
    'X-RateLimit-Reset': String(reset),
  };
}
