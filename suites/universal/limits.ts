import { expectThat, need } from '../expect.ts';
import { type LimitHeader, limitHeader } from '../limit-headers.ts';
import type { Reply } from '../reply.ts';
import { type ExchangeRules, readable } from './rule.ts';

/** How far the clocks of target and suite may differ, in seconds. */
export const skew = 5;
/** The window of the documented limits (requests a minute), in seconds. */
const window = 60;
export const windowMs = window * 1000;

/** The response is to a request that belongs to an account. */
export const authenticated = (reply: Reply) =>
  readable(reply) && reply.exchange.request.credential === 'key' && reply.status !== 401;

const raw = (reply: Reply, name: LimitHeader) => reply.header(`x-ratelimit-${name}`);

/** Unix seconds of the response, by its own Date header where it has one. */
export function timeOf(reply: Reply): number {
  const { sentTime, sentAt, headersAt } = reply.exchange;
  const own = Date.parse(reply.header('date') ?? '');
  return (Number.isNaN(own) ? sentTime + (headersAt ?? sentAt) - sentAt : own) / 1000;
}

export const limitRules: ExchangeRules = {
  'limits.headers.limit': {
    applies: authenticated,
    judge: (reply) => {
      const holds = (limitHeader(reply, 'limit') ?? 0) >= 1;
      return expectThat(reply, 'X-RateLimit-Limit', holds, 'an integer of at least 1', raw(reply, 'limit'));
    },
  },
  'limits.headers.remaining': {
    applies: authenticated,
    judge: (reply) => {
      const limit = limitHeader(reply, 'limit');
      const remaining = limitHeader(reply, 'remaining');
      const holds = remaining !== undefined && remaining <= (limit ?? remaining);
      return expectThat(
        reply,
        'X-RateLimit-Remaining',
        holds,
        `an integer from 0 to ${limit ?? 'the limit'}`,
        raw(reply, 'remaining'),
      );
    },
  },
  'limits.headers.used': {
    applies: authenticated,
    judge: (reply) =>
      expectThat(
        reply,
        'X-RateLimit-Used',
        limitHeader(reply, 'used') !== undefined,
        'an integer of at least 0',
        raw(reply, 'used'),
      ),
  },
  'limits.headers.reset': {
    applies: authenticated,
    judge: (reply) => {
      const reset = limitHeader(reply, 'reset');
      const now = timeOf(reply);
      const { sentAt, headersAt } = reply.exchange;
      // Many servers fix it when the request comes, and a window can end before a long answer begins.
      const came = now - ((headersAt ?? sentAt) - sentAt) / 1000;
      const holds = reset !== undefined && reset >= came - skew && reset <= now + window + skew;
      const expected = `whole Unix seconds within ${window} s of ${Math.floor(now)}, the time of the response`;
      return expectThat(reply, 'X-RateLimit-Reset', holds, expected, raw(reply, 'reset'));
    },
  },
  'limits.headers.add-up': {
    applies: (reply) => authenticated(reply) && names.every((name) => limitHeader(reply, name) !== undefined),
    judge: (reply) => {
      const [limit, remaining, used] = names.map((name) => limitHeader(reply, name));
      need(limit !== undefined && remaining !== undefined && used !== undefined, 'a header is missing');
      const left = Math.max(0, limit - used);
      return expectThat(reply, 'X-RateLimit-Remaining', remaining === left, `${limit} - ${used} = ${left}`, remaining);
    },
  },
  'limits.headers.on-unauthorized': {
    applies: (reply) => readable(reply) && reply.status === 401,
    judge: (reply) => {
      const missing = [...names, 'reset' as const].filter((name) => limitHeader(reply, name) === undefined);
      return expectThat(
        reply,
        'X-RateLimit headers',
        missing.length === 0,
        'all four, as integers',
        missing.map((name) => `no ${name}`),
      );
    },
  },
};

const names = ['limit', 'remaining', 'used'] as const;
