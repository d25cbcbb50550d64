import { expectArrived, expectEach, expectEqual, expectThat, need, violate } from '../expect.ts';
import { limitHeader } from '../limit-headers.ts';
import { defineProbe, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { timeOf, windowMs } from '../universal/limits.ts';
import { concurrency } from './concurrency.ts';
import { isForTokens, needTokens, unnamed } from './refusal.ts';
import { sharedPlaces } from './shared-places.ts';
import { sharedRequests } from './shared-requests.ts';
import { sharedTokens } from './shared-tokens.ts';
import { exhaustedKey, tierNumber } from './tier.ts';
import { momentAfter, opening, retryTime } from './waiting.ts';

interface SpentWindow {
  /** Chats one after the other. */
  readonly single: readonly Reply[];
  /** The last of them, whose headers say what is left. */
  readonly first: Reply;
  readonly limit: number;
  readonly remaining: number;
  /** Sent after the first, but for the one that was refused at the end. */
  readonly tried: readonly Reply[];
  /** The refusal that ended the spending. */
  readonly refused: Reply | undefined;
  /** `GET /models` after a 429 that does not tell of the limit on requests, which would refuse it, too. */
  readonly list: Reply | undefined;
  /** Sent once Reset had passed. */
  readonly reopened: Reply | undefined;
  /** Sent after that, as far apart as the limit allows. */
  readonly paced: readonly Reply[];
  /** Sent after the last of these that was refused. */
  readonly afterwards: Reply | undefined;
}

/** More requests than this are spent on a window only where the run's own bound allows it. */
const largestWindow = 250;

const singles = 5;

const longestPacedMs = 10_000;

/** Requests sent together, fewer than the least of the documented tiers runs at a time. */
const roundSize = 4;

/** Refusals in a row that do not tell of the limit, each of a chat sent alone, after which no more are sent. */
const patience = 3;

const spendWindow = defineProbe<SpentWindow>({
  name: 'chats until the limit refuses one, and after its reset',
  cost: { requests: largestWindow, tokens: largestWindow * 60, seconds: 140 },
  exclusive: true,
  async act(target) {
    // Paced, so that they are answered also where other probes have used the window up.
    let first = await target.chat({ max_tokens: 1 });
    const single = [first];
    while (single.length < singles) {
      first = await target.chat({ max_tokens: 1 });
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
    const { refused } = spent;
    const isOther = refused?.status === 429 && !tellsLimit(first, refused);
    const list = isOther ? await target.send('GET', '/models', undefined, { unpaced: true }) : undefined;
    return { single, first, limit, remaining, ...spent, list, ...(await comeBack(target, refused, limit)) };
  },
  judge: {
    'errors.rate-limit.status': (seen) => {
      const { first, refused } = seen;
      need(refused !== undefined, 'no request was refused');
      expectArrived(refused);
      if (refused.status === 429) needRefused(seen);
      else need(tellsLimit(first, refused), `a chat was answered with ${refused.status} before the limit was reached`);
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
      return expectAdmitted(seen, reopened);
    },
    'limits.requests.paced': (seen) => {
      const { reopened, paced, limit } = seen;
      need(reopened?.status === 200, 'the limit did not open again');
      need(paced.length > 0, `a limit of ${limit} a minute is too small to keep to within ${longestPacedMs / 1000} s`);
      return expectEach(paced, (reply) => expectAdmitted(seen, reply));
    },
    'limits.requests.exhausted': (seen) => {
      const refused = needRefused(seen);
      const remaining = limitHeader(refused, 'remaining');
      need(remaining !== undefined, 'the 429 has no X-RateLimit-Remaining');
      return expectEqual(refused, 'X-RateLimit-Remaining', remaining, 0);
    },
    'limits.requests.admitted': (seen) => {
      const refused = needRefused(seen);
      const { first, tried } = seen;
      const admitted = tried.filter(isAdmitted);
      // What was refused for another reason, or not answered at all, the target may have counted.
      const counted = tried.filter(
        (reply) => !isAdmitted(reply) && !(reply.status === 429 && tellsLimit(first, reply)),
      );
      const uncertain = counted.length + (isBeside(refused, tried) ? 1 : 0);
      const subject = 'requests admitted before the first 429';
      if (sameReset(first, refused)) {
        const inWindow = admitted.filter((reply) => sameReset(first, reply)).length;
        const least = seen.remaining - uncertain;
        return expectThat(refused, subject, inWindow >= least, `at least ${least}`, inWindow);
      }
      // Where Reset moves, the lowest Remaining that was told, less what was under way, was still to be admitted.
      const told = [first, ...admitted].map((reply) => limitHeader(reply, 'remaining') ?? 0);
      const left = Math.min(...told) - roundSize - uncertain;
      return expectThat(refused, subject, left <= 0, `at least ${left} more`, admitted.length);
    },
    'limits.requests.refused': (seen) => {
      const { first, limit, remaining, tried, refused } = seen;
      const admitted = tried.filter(isAdmitted);
      const last = admitted.at(-1) ?? first;
      // As a window ends, what was taken long before may come back under the same Reset.
      const goesOn = (reply: Reply) => (limitHeader(reply, 'reset') ?? 0) - timeOf(reply) >= 2;
      const inWindow = admitted.filter((reply) => sameReset(first, reply) && goesOn(reply));
      const over = inWindow[remaining];
      if (over) violate(over, 'requests admitted in one window', `${remaining}`, `${inWindow.length}`);
      if (refused && tried.length <= remaining) needRefused(seen);
      const took = last.exchange.endedAt - first.exchange.sentAt;
      need(
        refused !== undefined || (took < windowMs && tried.length > remaining),
        `the target took ${Math.round(took / 1000)} s for ${admitted.length} requests that it admitted, too slow to spend a limit of ${limit} a minute`,
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
 * Sends chats in rounds until the limit refuses one. A round may be refused for its concurrency, and any chat for a
 * reason of the moment: what follows is sent alone.
 */
async function spend(target: Target, first: Reply, most: number): Promise<Pick<SpentWindow, 'tried' | 'refused'>> {
  const tried: Reply[] = [];
  let size = (limitHeader(first, 'remaining') ?? 0) > roundSize ? roundSize : 1;
  let inRow = 0;
  let tookMs = 0;
  while (tried.length < most && tookMs < windowMs) {
    const replies = await Promise.all(Array.from({ length: size }, () => shortChat(target)));
    const failed = replies.filter((reply) => !isAdmitted(reply));
    const atLimit = failed.find((reply) => reply.status === 429 && (tellsLimit(first, reply) || isForTokens(reply)));
    inRow = size === 1 && failed.length > 0 ? inRow + 1 : 0;
    const refused = atLimit ?? (inRow === patience ? failed[0] : undefined);
    tried.push(...replies.filter((reply) => reply !== refused));
    if (refused) return { tried, refused };
    if (failed.length > 0) size = 1;
    tookMs = Math.max(...replies.map(({ exchange }) => exchange.endedAt)) - first.exchange.sentAt;
  }
  return { tried, refused: undefined };
}

/** Waits for the reset that a refusal tells, and goes on at the pace of the limit. */
async function comeBack(
  target: Target,
  refused: Reply | undefined,
  limit: number,
): Promise<Pick<SpentWindow, 'reopened' | 'paced' | 'afterwards'>> {
  const notBefore = refused && opening(refused);
  const isOver = refused?.status === 429 && !isForTokens(refused);
  if (!isOver || notBefore === undefined) return { reopened: undefined, paced: [], afterwards: undefined };
  const reopened = await target.chat({ max_tokens: 1 }, { unpaced: true, notBefore });
  const gap = windowMs / limit;
  const paced: Reply[] = [];
  let last = reopened;
  // Where only a part has come back, as of windows that slide, all has when the refusal is a window ago.
  const isWhole = (limitHeader(reopened, 'remaining') ?? limit) >= singles;
  let from = isWhole ? 0 : momentAfter(refused, windowMs + 2_000);
  while (last.status === 200 && paced.length < singles && (paced.length + 1) * gap <= longestPacedMs) {
    last = await target.chat({ max_tokens: 1 }, { unpaced: true, notBefore: Math.max(from, momentAfter(last, gap)) });
    from = 0;
    paced.push(last);
  }
  const notYet = { unpaced: true, notBefore: momentAfter(last, gap) };
  const afterwards = last.status === 429 ? await target.chat({ max_tokens: 1 }, notYet) : undefined;
  return { reopened, paced, afterwards };
}

function expectAdmitted({ first, afterwards }: SpentWindow, reply: Reply): undefined {
  expectArrived(reply);
  needTokens(reply);
  need(reply.status === 200 || reply.status === 429, `the chat was answered with ${reply.status} for another reason`);
  // Tokens that are used up let no later chat pass, and take nothing from what remains of the requests.
  const isKnown = reply.status === 200 || tellsLimit(first, reply) || afterwards?.status === 200;
  need(isKnown, unnamed);
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

function needRefused({ refused, list }: SpentWindow): Reply {
  need(refused !== undefined && refused.status === 429, 'no request was refused with 429');
  needTokens(refused);
  need(list === undefined || list.status === 429, 'a chat was refused for another limit than that on requests');
  return refused;
}

/** Whether a refusal may be for what ran beside it, by the time that it names: it may then have taken what remained. */
function isBeside(refused: Reply, tried: readonly Reply[]): boolean {
  const until = retryTime(refused);
  const reset = limitHeader(refused, 'reset');
  const isBrief = until !== undefined && reset !== undefined && until < reset - 2;
  return isBrief && tried.some(({ exchange }) => exchange.endedAt > refused.exchange.sentAt);
}

function isAdmitted({ status }: Reply): boolean {
  return status === 200;
}

/** Whether a refusal tells that nothing remains of the limit on requests, and not of another one. */
function tellsLimit(first: Reply, refused: Reply): boolean {
  return limitHeader(refused, 'remaining') === 0 && limitHeader(refused, 'limit') === limitHeader(first, 'limit');
}

function sameReset(one: Reply, other: Reply): boolean {
  return limitHeader(one, 'reset') === limitHeader(other, 'reset');
}

export const limitProbes = [
  exhaustedKey,
  tierNumber,
  spendWindow,
  concurrency,
  sharedTokens,
  sharedRequests,
  sharedPlaces,
];
