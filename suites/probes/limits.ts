import { expectArrived, expectEach, expectEqual, expectThat, need, violate } from '../expect.ts';
import { limitHeader } from '../limit-headers.ts';
import { defineProbe, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { windowMs } from '../universal/limits.ts';
import { concurrency } from './concurrency.ts';
import { exhaustedKey, tierNumber } from './tier.ts';
import { momentAfter, opening, retryTime } from './waiting.ts';

interface SpentWindow {
  /** Chats one after the other. */
  readonly single: readonly Reply[];
  /** The last of them, whose headers say what is left. */
  readonly first: Reply;
  readonly limit: number;
  readonly remaining: number;
  /** Answered with 200 after the first. */
  readonly admitted: readonly Reply[];
  /** The first that was not, when no other request was under way beside it. */
  readonly refused: Reply | undefined;
  /** Sent once Reset had passed. */
  readonly reopened: Reply | undefined;
  /** Sent after that, as far apart as the limit allows. */
  readonly paced: readonly Reply[];
}

/** More requests than this are spent on a window only where the run's own bound allows it. */
const largestWindow = 250;

const singles = 5;

const longestPacedMs = 10_000;

/** Requests sent together, fewer than the least of the documented tiers runs at a time. */
const roundSize = 4;

const spendWindow = defineProbe<SpentWindow>({
  name: 'chats until the limit refuses one, and after its reset',
  cost: { requests: largestWindow, tokens: largestWindow * 60, seconds: 80 },
  exclusive: true,
  async act(target) {
    let first = await shortChat(target);
    const single = [first];
    while (single.length < singles) {
      first = await shortChat(target);
      single.push(first);
    }
    const limit = limitHeader(first, 'limit');
    const remaining = limitHeader(first, 'remaining');
    need(
      first.status === 200 && limit !== undefined && remaining !== undefined,
      'no answered chat says in its headers what the limit is and what is left of it',
    );
    // A window may end while it is being spent, so a legal target can admit what is left of one and all of the next.
    const most = remaining + limit + 20;
    need(
      most <= (target.options.maxRequests ?? largestWindow),
      `takes up to ${most} requests: allow them with --max-requests, or give a key with a smaller limit`,
    );
    const spent = await spend(target, first, most);
    return { single, first, limit, remaining, ...spent, ...(await comeBack(target, spent.refused, limit)) };
  },
  judge: {
    'errors.rate-limit.status': ({ refused }) => {
      need(refused !== undefined, 'no request was refused');
      return expectEqual(refused, 'status', refused.status, 429);
    },
    'errors.rate-limit.retry-after': (seen) => {
      const refused = needRefused(seen);
      const value = refused.header('retry-after');
      const holds = value !== undefined && (/^\d+$/.test(value) || !Number.isNaN(Date.parse(value)));
      return expectThat(refused, 'Retry-After', holds, 'whole seconds or an HTTP date', value);
    },
    'limits.retry-after.reset': (seen) => {
      const refused = needRefused(seen);
      const until = retryTime(refused);
      const reset = limitHeader(refused, 'reset');
      need(
        until !== undefined && reset !== undefined && opening(refused) !== undefined,
        'the 429 does not say both Retry-After and an X-RateLimit-Reset within a minute',
      );
      return expectThat(refused, 'end of Retry-After', until <= reset + 2, `no later than ${reset}`, until);
    },
    'limits.headers.by-one': ({ single }) => {
      const left = single.map((reply) => limitHeader(reply, 'remaining'));
      const steps = left.slice(1).map((remaining = Number.NaN, index) => (left[index] ?? Number.NaN) - remaining);
      need(!steps.some(Number.isNaN), 'a chat has no X-RateLimit-Remaining');
      const [, second] = single;
      need(second !== undefined, 'there was no second chat');
      const holds = steps.some((step) => step <= 1);
      return expectThat(second, 'X-RateLimit-Remaining', holds, 'one less than before', `less by ${steps.join(', ')}`);
    },
    'limits.requests.reopened': (seen) => {
      needRefused(seen);
      const { reopened } = seen;
      need(reopened !== undefined, 'the 429 does not say when within a minute the limit is whole again');
      return expectAdmitted(reopened);
    },
    'limits.requests.paced': ({ reopened, paced, limit }) => {
      need(reopened?.status === 200, 'the limit did not open again');
      need(paced.length > 0, `a limit of ${limit} a minute is too small to keep to within ${longestPacedMs / 1000} s`);
      return expectEach(paced, expectAdmitted);
    },
    'limits.requests.exhausted': (seen) => {
      const refused = needRefused(seen);
      const remaining = limitHeader(refused, 'remaining');
      need(remaining !== undefined, 'the 429 has no X-RateLimit-Remaining');
      return expectEqual(refused, 'X-RateLimit-Remaining', remaining, 0);
    },
    'limits.requests.admitted': (seen) => {
      const refused = needRefused(seen);
      const { first, admitted } = seen;
      const subject = 'requests admitted before the first 429';
      if (sameReset(first, refused)) {
        const inWindow = admitted.filter((reply) => sameReset(first, reply)).length;
        return expectThat(refused, subject, inWindow >= seen.remaining, `${seen.remaining}`, inWindow);
      }
      // Where Reset moves, the lowest Remaining that was told, less what was under way, was still to be admitted.
      const told = [first, ...admitted].map((reply) => limitHeader(reply, 'remaining') ?? 0);
      const left = Math.min(...told) - roundSize;
      return expectThat(refused, subject, left <= 0, `at least ${left} more`, admitted.length);
    },
    'limits.requests.refused': ({ first, limit, remaining, admitted, refused }) => {
      const last = admitted.at(-1) ?? first;
      const inWindow = admitted.filter((reply) => sameReset(first, reply));
      const over = inWindow[remaining];
      if (over) violate(over, 'requests admitted in one window', `${remaining}`, `${inWindow.length}`);
      const took = last.exchange.endedAt - first.exchange.sentAt;
      need(
        refused !== undefined || took < windowMs,
        `the target took ${Math.round(took / 1000)} s for ${admitted.length} requests, too slow to spend a limit of ${limit} a minute`,
      );
      if (took >= windowMs) return;
      const most = mostWithin(took, { first, last, limit, remaining });
      return expectThat(
        last,
        'requests admitted within a minute',
        admitted.length <= most,
        `at most ${most}`,
        admitted.length,
      );
    },
  },
});

function shortChat(target: Target): Promise<Reply> {
  return target.chat({ max_tokens: 1 }, { unpaced: true });
}

/**
 * Sends chats in rounds until one is refused. A round may be refused for its concurrency, so the refusal that counts is
 * that of a chat sent alone.
 */
async function spend(target: Target, first: Reply, most: number): Promise<Pick<SpentWindow, 'admitted' | 'refused'>> {
  const admitted: Reply[] = [];
  let size = roundSize;
  let sent = 0;
  let tookMs = 0;
  while (sent < most && tookMs < windowMs) {
    sent += size;
    const replies = await Promise.all(Array.from({ length: size }, () => shortChat(target)));
    admitted.push(...replies.filter(({ status }) => status === 200));
    const refused = replies.find(({ status }) => status !== 200);
    if (refused && (size === 1 || limitHeader(refused, 'remaining') === 0)) return { admitted, refused };
    if (refused) size = 1;
    tookMs = Math.max(...replies.map(({ exchange }) => exchange.endedAt)) - first.exchange.sentAt;
  }
  return { admitted, refused: undefined };
}

/** Waits for the reset that a refusal tells, and goes on at the pace of the limit. */
async function comeBack(
  target: Target,
  refused: Reply | undefined,
  limit: number,
): Promise<Pick<SpentWindow, 'reopened' | 'paced'>> {
  const notBefore = refused && opening(refused);
  if (notBefore === undefined) return { reopened: undefined, paced: [] };
  const reopened = await target.chat({ max_tokens: 1 }, { unpaced: true, notBefore });
  const gap = windowMs / limit;
  const paced: Reply[] = [];
  let last = reopened;
  while (last.status === 200 && paced.length < singles && (paced.length + 1) * gap <= longestPacedMs) {
    last = await target.chat({ max_tokens: 1 }, { unpaced: true, notBefore: momentAfter(last, gap) });
    paced.push(last);
  }
  return { reopened, paced };
}

function expectAdmitted(reply: Reply): undefined {
  expectArrived(reply);
  need(reply.status === 200 || reply.status === 429, `the chat was answered with ${reply.status} for another reason`);
  return expectEqual(reply, 'status', reply.status, 200);
}

interface Admission {
  readonly first: Reply;
  readonly last: Reply;
  readonly limit: number;
  readonly remaining: number;
}

/** How many requests a legal target admits within less than a window, whatever the shape of its windows. */
function mostWithin(tookMs: number, { first, last, limit, remaining }: Admission): number {
  const moved = ((limitHeader(last, 'reset') ?? 0) - (limitHeader(first, 'reset') ?? 0)) * 1000;
  // Windows that follow each other: what was left of the first, and all of the second.
  if (moved >= windowMs - 1000) return remaining + limit;
  // A window that slides admits no more than the limit; a bucket refills as time goes by.
  return Math.max(limit, remaining + Math.ceil((limit * tookMs) / windowMs));
}

function needRefused({ refused }: SpentWindow): Reply {
  need(refused !== undefined && refused.status === 429, 'no request was refused with 429');
  return refused;
}

function sameReset(one: Reply, other: Reply): boolean {
  return limitHeader(one, 'reset') === limitHeader(other, 'reset');
}

export const limitProbes = [exhaustedKey, tierNumber, spendWindow, concurrency];
