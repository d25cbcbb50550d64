import type { Reply } from './reply.ts';

export type LimitHeader = 'limit' | 'remaining' | 'used' | 'reset';

/** The value of one of the `X-RateLimit-` headers; `undefined` where it is absent or not a whole number. */
export function limitHeader(reply: Reply, name: LimitHeader): number | undefined {
  const value = reply.header(`x-ratelimit-${name}`)?.trim();
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
