import { expectArrived, expectEqual, need, violate } from '../expect.ts';
import { defineProbe, type RequestOptions, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import {
  endOf,
  graceMs,
  hold,
  longTokens,
  mostStreams,
  needConcurrent,
  needRoom,
  sorted,
  startOf,
  tokensHeld,
} from './held-streams.ts';
import { isForPlaces, isForTokens, needForPlaces, needTokens, unnamed } from './refusal.ts';
import { momentAfter } from './waiting.ts';

interface Held {
  /** Chats that the tier runs at the same time. */
  readonly most: number;
  /** Streams begun together, one more than that; none where a chat alone found no place. */
  readonly streams: readonly Reply[];
  /** A chat sent when the first of them had ended, or alone; the last try where it was refused. */
  readonly next: Reply | undefined;
}

/** What a stream may still be on its way when the next has its place. */
const handOverMs = 50;
/** So long after one has ended, at most, its place is free. */
const tries = 4;
const betweenTriesMs = 500;
/** Places that nothing holds any more, not even what a client left behind, are free after as many of these. */
const betweenAloneMs = 5_000;

export const concurrency = defineProbe<Held>({
  name: 'one stream more than the tier runs at a time, and a chat when one ends',
  cost: { requests: mostStreams + 2 * tries + 3, tokens: mostStreams * (longTokens + 250) + 500, seconds: 65 },
  exclusive: true,
  async act(target) {
    const most = needConcurrent(target);
    const alone = await untilAdmitted(target, betweenAloneMs, {});
    if (isForPlaces(alone)) return { most, streams: [], next: alone };
    await needRoom(target, most + tries + 2);
    const long = tokensHeld(target);
    // At most one is refused, so that one of two short ones ends before the others do.
    const begun = Array.from({ length: most + 1 }, (_, index) => hold(target, index < 2 ? Math.ceil(long / 2) : long));
    const next = await Promise.any(begun.map(admitted)).then(
      () => untilAdmitted(target, betweenTriesMs, { unpaced: true, atOnce: true }),
      () => undefined,
    );
    return { most, streams: await Promise.all(begun), next };
  },
  judge: {
    'limits.concurrent.admitted': ({ most, streams, next }) => {
      needStreams(streams);
      const { admitted, refused } = sorted(streams);
      const [first] = refused;
      if (first === undefined) {
        const together = runTogether(admitted);
        const [last] = admitted.toSorted((one, other) => startOf(other) - startOf(one));
        if (together < most && last && isQueued(admitted, together)) {
          violate(last, 'streams under way at the same time', `${most}`, `${together}, others waited for their end`);
        }
        return needTogether(most, admitted);
      }
      if (admitted.length >= most) return;
      need(
        refused.every(({ status }) => status === 429),
        `a stream was answered with ${first.status}`,
      );
      needForPlaces(first, next);
      violate(first, 'streams admitted together', `${most}`, `${admitted.length}`);
    },
    'limits.concurrent.refused': ({ most, streams, next }) => {
      needStreams(streams);
      const { admitted, refused } = sorted(streams);
      const [first] = refused;
      if (first) {
        need(admitted.length >= most, `no more than ${admitted.length} were admitted together`);
        needForPlaces(first, next);
        return expectEqual(first, 'status', first.status, 429);
      }
      const last = admitted.at(-1);
      need(last !== undefined, 'no stream was begun');
      const together = Math.max(...admitted.map(startOf)) < Math.min(...admitted.map(endOf)) - graceMs;
      if (together) violate(last, 'streams under way at the same time', `at most ${most}`, `${admitted.length}`);
      needTogether(most, admitted);
      need(
        admitted.some((reply) => waited(reply, admitted)),
        'the answers end too soon to be under way together',
      );
    },
    'limits.concurrent.freed': ({ most, streams, next }) => {
      const { admitted, refused } = sorted(streams);
      const { length } = admitted;
      if (next && streams.length === 0) violate(next, 'status of a chat beside which nothing runs', '200', '429');
      need(next !== undefined && length >= most, `not ${most} streams were admitted together`);
      if (refused.length === 0) needTogether(most, admitted);
      expectArrived(next);
      needTokens(next);
      need(next.status === 200 || next.status === 429, `the chat was answered with ${next.status} for another reason`);
      need(next.status === 200 || length === most, `${length} streams were admitted, so that one more may not be`);
      need(next.status === 200 || isForPlaces(next), unnamed);
      return expectEqual(next, 'status', next.status, 200);
    },
  },
});

function needStreams(streams: readonly Reply[]): undefined {
  need(streams.length > 0, 'a chat was refused for want of a place though nothing ran beside it');
}

async function admitted(stream: Promise<Reply>): Promise<void> {
  const reply = await stream;
  if (reply.status !== 200) throw new Error('this one was refused');
}

/** Sends a chat, again while it is refused for another reason than tokens; gives back the last try. */
async function untilAdmitted(target: Target, betweenMs: number, options: RequestOptions): Promise<Reply> {
  let reply = await target.chat({ max_tokens: 1 }, options);
  for (let count = 1; count < tries && reply.status === 429 && !isForTokens(reply); count += 1) {
    reply = await target.chat({ max_tokens: 1 }, { ...options, notBefore: momentAfter(reply, betweenMs) });
  }
  return reply;
}

/** Whether a stream began only when another had ended, and long after it was asked for. */
function waited(reply: Reply, others: readonly Reply[]): boolean {
  const start = startOf(reply);
  const free = Math.min(...others.map(endOf));
  return start - reply.exchange.sentAt > 2 * graceMs && start > free - graceMs;
}

/** The most streams that were between their first piece and their end at one time. */
function runTogether(streams: readonly Reply[]): number {
  const starts = streams.map(startOf);
  const at = (time: number) =>
    streams.filter((reply) => startOf(reply) <= time && time < endOf(reply) - handOverMs).length;
  return Math.max(...starts.map(at));
}

function needTogether(most: number, streams: readonly Reply[]): undefined {
  const together = runTogether(streams);
  need(
    together >= most,
    `the answers end too soon, or begin too late: no more than ${together} were under way together`,
  );
}

/**
 * Whether several streams plainly waited for a place, of which there are `places`: so many began at once, the next one
 * when the first had ended, the one after it when the second had, and so on. On a busy machine streams begin late, too,
 * but then not so neatly.
 */
function isQueued(streams: readonly Reply[], places: number): boolean {
  const starts = streams.map(startOf).toSorted((one, other) => one - other);
  const ends = streams.map(endOf).toSorted((one, other) => one - other);
  const usual = Math.min(...streams.map((reply) => startOf(reply) - reply.exchange.sentAt));
  const atOnce = (starts[places - 1] ?? Infinity) - (starts[0] ?? 0) <= graceMs;
  const follows = (start: number, index: number) => {
    const since = start - (ends[index] ?? Infinity);
    return since >= -handOverMs && since <= graceMs + usual;
  };
  const waiting = streams.filter((reply) => waited(reply, streams));
  return atOnce && starts.slice(places).every(follows) && waiting.length > 1;
}
