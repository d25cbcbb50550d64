import type { Exchange } from '../../specs/evidence.ts';
import { limitHeader } from '../limit-headers.ts';
import type { Reply } from '../reply.ts';
import { isStart, refusedForNow } from '../socket.ts';
import { keyWord } from './credentials.ts';

/** No window of requests is longer than a minute, and clocks may differ by 5 seconds: what lies beyond is not waited for. */
const longestWait = 65_000;

/** A reset is told in whole seconds, so the window may open up to one later. */
const resetMargin = 1000;

/** A 429 that names no time. */
const shortWait = 1000;

/**
 * Milliseconds after the end of an exchange until the request may be sent again, where it was refused with 429;
 * `undefined` for every other response, and where the wait would be longer than a window of requests.
 */
function retryDelay(reply: Reply): number | undefined {
  if (reply.status !== 429) return undefined;
  const told = reply.header('retry-after');
  const end = endOf(reply.exchange);
  const delay = told === undefined ? (windowOf(reply)?.opensAt ?? end) - end : retryAfter(told, end);
  return delay > longestWait ? undefined : Math.max(delay, shortWait);
}

/** Keeps requests inside the limit that the responses tell. */
export interface Pace {
  learn(reply: Reply): void;
  /**
   * Milliseconds until the next request may go; Infinity where that depends on an answer that is under way.
   * @param more requests that the next one brings with it
   */
  wait(now: number, inFlight: number, more?: number): number;
}

export function openPace(): Pace {
  let heldUntil = 0;
  let window: Window | undefined;
  let waitedFor: number | undefined;
  let believed = true;
  return {
    learn(reply) {
      const { exchange } = reply;
      if (exchange.request.credential !== 'key') return;
      const delay = retryDelay(reply);
      if (delay !== undefined) heldUntil = Math.max(heldUntil, endOf(exchange) + delay);
      if (refusedForNow(reply.messages))
        heldUntil = Math.max(heldUntil, window?.opensAt ?? endOf(exchange) + shortWait);
      if (!hasKeyInHead(reply)) {
        // The head tells of whoever has no key; the starts are those of the key all the same.
        if (window) window = { ...window, remaining: window.remaining - startsOf(reply) };
        return;
      }
      const next = windowOf(reply);
      if (!next) return;
      if (waitedFor !== undefined && exchange.sentTime >= waitedFor) {
        // Headers that tell of an empty window right after it opened are not waited for again.
        believed = next.remaining > 0;
        waitedFor = undefined;
      }
      const remaining = next.opensAt === window?.opensAt ? Math.min(next.remaining, window.remaining) : next.remaining;
      window = { ...next, remaining };
    },
    wait(now, inFlight, more = 0) {
      if (now < heldUntil) return heldUntil - now;
      if (!believed || !window || now >= window.opensAt || window.remaining > inFlight + more) return 0;
      if (inFlight > 0) return Infinity;
      waitedFor = window.opensAt;
      return window.opensAt - now;
    },
  };
}

interface Window {
  readonly remaining: number;
  /** Unix time in milliseconds. */
  readonly opensAt: number;
}

/** What the X-RateLimit headers say, where it can be true. */
function windowOf(reply: Reply): Window | undefined {
  const remaining = limitHeader(reply, 'remaining');
  const reset = limitHeader(reply, 'reset');
  if (remaining === undefined || reset === undefined) return undefined;
  const opensAt = reset * 1000 + resetMargin;
  if (opensAt - endOf(reply.exchange) > longestWait + resetMargin) return undefined;
  // The head of a socket is older than the starts that went over it.
  return { remaining: remaining - startsOf(reply), opensAt };
}

function startsOf({ messages }: Reply): number {
  return messages.filter(isStart).length;
}

/** A socket may have its key in a start alone. */
function hasKeyInHead({ exchange: { request } }: Reply): boolean {
  const { dialog, headers, path } = request;
  return !dialog || path.includes(keyWord) || headers.some(([name]) => name.toLowerCase() === 'authorization');
}

/** Milliseconds from `end` of what is either seconds or a date. */
function retryAfter(value: string, end: number): number {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : date - end;
}

/** Unix time in milliseconds. */
function endOf({ sentTime, sentAt, endedAt }: Exchange): number {
  return sentTime + endedAt - sentAt;
}
