import { expectThat, need } from '../expect.ts';
import { limitHeader } from '../limit-headers.ts';
import { defineProbe, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { windowMs } from '../universal/limits.ts';
import { needRoom } from './held-streams.ts';
import { findPlace, type KeyPlace, placeCost, startText, talk } from './socket-place.ts';
import { generatedTurns, turnsOf } from './socket-turns.ts';
import { momentAfter, opening } from './waiting.ts';

/** What chats tell of the limit on requests before and after starts over sockets. */
interface Counted {
  readonly earlier: Reply;
  readonly before: Reply;
  /** One, or as many as it takes where the target closes them. */
  readonly sockets: readonly Reply[];
  readonly after: Reply;
}

/** Enough to be told from what sockets may count for themselves. */
const starts = 5;
const mostRequests = 3 + 2 * starts;

export const sharedRequests = defineProbe<Counted>({
  name: 'starts over sockets between chats that tell what remains',
  cost: { requests: placeCost.requests + 2 * mostRequests + 2, tokens: placeCost.tokens + 6_000, seconds: 125 },
  exclusive: true,
  async act(target) {
    const place = await findPlace(target);
    await needRoom(target, mostRequests);
    const counted = await count(target, place);
    const { after } = counted;
    // The window may have ended in between, or slide, so that what was taken long before came back: a fresh one tells.
    return addsUp(counted)
      ? counted
      : count(target, place, Math.max(opening(after) ?? 0, momentAfter(after, windowMs + 2_000)));
  },
  judge: {
    'limits.shared.requests': ({ earlier, before, sockets, after }) => {
      const told = [earlier, before, after].map((reply) => limitHeader(reply, 'remaining'));
      const [first = 0, full = 0, left = 0] = told;
      const limit = limitHeader(after, 'limit');
      need(limit !== undefined && !told.includes(undefined), 'a chat does not say what remains of the limit');
      need(
        [earlier, before, after].every(({ status }) => status === 200),
        'a chat before or after the starts was not answered',
      );
      need(first !== full || full !== left, 'X-RateLimit-Remaining does not move, not even with chats');
      const generated = begun(sockets);
      need(generated > starts / 2, `no more than ${generated} of ${starts} starts were answered`);
      const refilled = isSameWindow(before, after) ? 0 : Math.ceil((limit * tookMs(before, after)) / windowMs);
      const least = generated + 1 - refilled;
      need(least > 1, 'so much comes back while the starts are answered that nothing can be told');
      need(full >= left, 'a window ended between the chats');
      need(full - left >= least || left > 0, 'too little remained to see what the starts took');
      const expected = `at most ${full - least}, after ${full}, ${generated} starts and a chat`;
      return expectThat(after, 'X-RateLimit-Remaining', full - left >= least, expected, left);
    },
  },
});

async function count(target: Target, place: KeyPlace, notBefore?: number): Promise<Counted> {
  const options = notBefore === undefined ? {} : { notBefore };
  const earlier = await target.chat({ max_tokens: 1 }, options);
  const before = await target.chat({ max_tokens: 1 });
  const sockets = await startSome(target, place);
  return { earlier, before, sockets, after: await target.chat({ max_tokens: 1 }) };
}

async function startSome(target: Target, place: KeyPlace): Promise<readonly Reply[]> {
  const send = startText(target, place, { max_tokens: 1 });
  const sockets: Reply[] = [];
  for (let said = 0; said < starts; ) {
    const dialog = Array.from({ length: starts - said }, () => [{ send }, { await: ['done', 'error'] }]).flat();
    const reply = await talk(target, place, dialog);
    sockets.push(reply);
    const more = turnsOf(reply).length;
    if (more === 0) break;
    said += more;
  }
  return sockets;
}

/** Whether what remained went down by all that was sent, so that no window ended. */
function addsUp({ before, sockets, after }: Counted): boolean {
  const [full = 0, left = 0] = [before, after].map((reply) => limitHeader(reply, 'remaining'));
  return isSameWindow(before, after) && full - left > begun(sockets);
}

function begun(sockets: readonly Reply[]): number {
  return sockets.reduce((sum, reply) => sum + generatedTurns(reply), 0);
}

function isSameWindow(one: Reply, other: Reply): boolean {
  return limitHeader(one, 'reset') === limitHeader(other, 'reset');
}

function tookMs(before: Reply, after: Reply): number {
  return after.exchange.endedAt - before.exchange.sentAt;
}
