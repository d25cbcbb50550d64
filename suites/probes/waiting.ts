import { limitHeader } from '../limit-headers.ts';
import type { Reply } from '../reply.ts';
import { skew, timeOf, windowMs } from '../universal/limits.ts';

/** Headers name times in whole seconds, Date and X-RateLimit-Reset alike. */
const rounding = 1_500;
const skewMs = skew * 1000;

/**
 * When the limit that a response tells of is whole again by the suite's clock, in Unix milliseconds: by how far Reset lies
 * ahead of the response's own time. `undefined` where that is not told, has passed, or is further ahead than a window is long.
 */
export function opening(reply: Reply): number | undefined {
  const reset = limitHeader(reply, 'reset');
  if (reset === undefined) return undefined;
  const ahead = (reset - timeOf(reply)) * 1000;
  if (ahead < -skewMs || ahead > windowMs + skewMs) return undefined;
  const clocks = reply.header('date') === undefined ? skewMs : 0;
  return momentAfter(reply, Math.max(0, ahead) + clocks + rounding);
}

/** Unix milliseconds, so long after the end of an exchange. */
export function momentAfter({ exchange }: Reply, ms: number): number {
  return Math.ceil(exchange.sentTime + exchange.endedAt - exchange.sentAt + ms);
}

/** Unix seconds until which a response says to wait, by its own clock. */
export function retryTime(reply: Reply): number | undefined {
  const value = reply.header('retry-after');
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return timeOf(reply) + Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : date / 1000;
}
