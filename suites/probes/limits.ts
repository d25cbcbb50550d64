import { expectEach, expectEqual, expectThat, Inconclusive, need, violate } from '../expect.ts';
import { limitHeader } from '../limit-headers.ts';
import { defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';

const windowMs = 60_000;

const moving = defineProbe<readonly Reply[]>({
  name: 'three chats in a row',
  cost: { requests: 3, tokens: 180 },
  async act(target) {
    const replies: Reply[] = [];
    for (let count = 0; count < 3; count += 1) replies.push(await target.chat({ max_tokens: 1 }));
    return replies;
  },
  judge: {
    'limits.headers.move': (replies) => {
      const seen = replies.flatMap((reply) => {
        const remaining = limitHeader(reply, 'remaining');
        const reset = limitHeader(reply, 'reset');
        return remaining === undefined || reset === undefined ? [] : [{ reply, remaining, reset }];
      });
      const pairs = seen.slice(1).flatMap((later, index) => {
        const earlier = seen[index];
        return earlier?.reset === later.reset ? [{ earlier, later }] : [];
      });
      need(pairs.length > 0, 'no two responses in a row have the same X-RateLimit-Reset and say what remains');
      return expectEach(pairs, ({ earlier, later }) => {
        const expected = `below ${earlier.remaining}`;
        return expectThat(
          later.reply,
          'X-RateLimit-Remaining',
          later.remaining < earlier.remaining,
          expected,
          later.remaining,
        );
      });
    },
  },
});

interface SpentWindow {
  /** The response whose headers say what is left. */
  readonly first: Reply;
  readonly limit: number;
  readonly remaining: number;
  /** Answered with 200 after the first, in order. */
  readonly admitted: readonly Reply[];
  /** The first that was not. */
  readonly refused: Reply | undefined;
}

/** More requests than this are spent on a window only where the run's own bound allows it. */
const largestWindow = 250;

const lanes = 4;

const spendWindow = defineProbe<SpentWindow>({
  name: 'chats until the limit refuses one',
  cost: { requests: largestWindow, tokens: largestWindow * 60 },
  exclusive: true,
  async act(target) {
    const ask = () => target.chat({ max_tokens: 1 }, { unpaced: true });
    const first = await ask();
    const limit = limitHeader(first, 'limit');
    const remaining = limitHeader(first, 'remaining');
    need(
      first.status === 200 && limit !== undefined && remaining !== undefined,
      'no answered chat says in its headers what the limit is and what is left of it',
    );
    // A window may end while it is being spent, so a legal target can admit what is left of one and all of the next.
    const most = remaining + limit + 10;
    need(
      most <= (target.options.maxRequests ?? largestWindow),
      `takes up to ${most} requests: allow them with --max-requests, or give a key with a smaller limit`,
    );
    const admitted: Reply[] = [];
    let refused: Reply | undefined;
    let sent = 0;
    const lane = async () => {
      while (refused === undefined && sent < most) {
        sent += 1;
        const reply = await ask();
        if (reply.status === 200) admitted.push(reply);
        else refused ??= reply;
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return { first, limit, remaining, admitted, refused };
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
    'limits.requests.exhausted': (seen) => {
      const refused = needRefused(seen);
      const remaining = limitHeader(refused, 'remaining');
      need(remaining !== undefined, 'the 429 has no X-RateLimit-Remaining');
      return expectEqual(refused, 'X-RateLimit-Remaining', remaining, 0);
    },
    'limits.requests.admitted': (seen) => {
      const refused = needRefused(seen);
      const admitted = inFirstWindow(seen).length;
      if (admitted >= seen.remaining || !sameWindow(seen.first, refused)) return;
      violate(refused, 'requests admitted before the first 429', `${seen.remaining}`, `${admitted}`);
    },
    'limits.requests.refused': (seen) => {
      const last = seen.admitted.at(-1);
      const inWindow = inFirstWindow(seen);
      const over = inWindow[seen.remaining];
      if (over) violate(over, 'requests admitted in one window', `${seen.remaining}`, `${inWindow.length}`);
      if (seen.refused !== undefined || last === undefined) return;
      const took = last.exchange.endedAt - seen.first.exchange.sentAt;
      if (took >= windowMs) {
        throw new Inconclusive('the target took longer than a window to answer as many requests as a window admits');
      }
      const most = `${seen.remaining} and, should the window end, ${seen.limit} more`;
      violate(last, 'requests admitted within a minute', most, `${seen.admitted.length}`);
    },
  },
});

function needRefused({ refused }: SpentWindow): Reply {
  need(refused !== undefined && refused.status === 429, 'no request was refused with 429');
  return refused;
}

function sameWindow(one: Reply, other: Reply): boolean {
  return limitHeader(one, 'reset') === limitHeader(other, 'reset');
}

function inFirstWindow({ first, admitted }: SpentWindow): readonly Reply[] {
  return admitted.filter((reply) => sameWindow(first, reply));
}

export const limitProbes = [moving, spendWindow];
