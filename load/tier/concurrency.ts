import { setTimeout as sleep } from 'node:timers/promises';
import type { TierCheck } from '../../specs/wire.ts';
import { chatBody, roomFor, shortChat, type TierKey } from './tier-key.ts';
import { countStatuses, decided, undecided } from './verdict.ts';

/** Lengths to hold a place with, the longest first; a target may refuse what exceeds its context. */
const lengths = [3_500, 1_000, 200];

/** A place that a client left is free again within this. */
const releaseMs = 3_000;

/** A stream that has no answer after this, and after three times what the first took for each, waits in a queue. */
const leastPatienceMs = 3_000;

/** A stream that was asked for. */
interface Stream {
  /** Absent while it waits for an answer. */
  status(): number | undefined;
  isOver(): boolean;
  leave(): void;
}

/**
 * Holds as many streams as the tier runs at a time, sees one more refused or made to wait, leaves one, and sees the
 * next admitted. Each stream has a connection of its own.
 */
export async function checkConcurrency(key: TierKey, limit: number | undefined): Promise<TierCheck> {
  if (limit === undefined) {
    return undecided('concurrency', 'no limit is stated: give limits.concurrent in a profile of your own');
  }
  await roomFor(key, limit + 25);
  const streams: Stream[] = [];
  try {
    await fill(key, limit, streams);
    // An end that was sent before the answer to the last may be read after it.
    await sleep(50, undefined, { signal: key.signal });
    return await judge(key, limit, streams);
  } finally {
    for (const stream of streams) stream.leave();
  }
}

/** Asks for as many streams as the limit allows, and where none is refused for one more. */
async function fill(key: TierKey, limit: number, streams: Stream[]): Promise<void> {
  const begin = performance.now();
  let maxTokens = 0;
  for (const length of lengths) {
    maxTokens = length;
    streams[0] = await ask(key, maxTokens, Number.POSITIVE_INFINITY);
    if (streams[0].status() !== 400) break;
  }
  if (streams[0]?.status() !== 200) return;
  const patience = Math.max(leastPatienceMs, 3 * limit * (performance.now() - begin));
  const others = Array.from({ length: limit - 1 }, () => ask(key, maxTokens, patience));
  streams.push(...(await Promise.all(others)));
  if (streams.every((stream) => (stream.status() ?? 200) === 200)) streams.push(await ask(key, maxTokens, patience));
}

async function judge(key: TierKey, limit: number, streams: readonly Stream[]): Promise<TierCheck> {
  const [within, over] = [streams.slice(0, limit), streams[limit]];
  // What waits for the target within the limit is not refused; what waits beyond it is kept from running, as a refusal does.
  const counted = countStatuses([
    ...within.map((stream) => stream.status() ?? 200),
    ...(over ? [over.status() ?? 429] : []),
  ]);
  const verdict = (broken: readonly string[]) => decided('concurrency', { limit, expected: limit }, counted, broken);
  if (counted.other > 0) return verdict([]);
  if (over === undefined) return verdict([`${counted.admitted} of ${limit} streams were admitted`]);
  const ended = within.filter((stream) => stream.isOver()).length;
  if (ended > 0) {
    const reason = `${ended} of ${limit} streams ended before one more was tried: a slower model is needed`;
    return undecided('concurrency', reason, counted);
  }
  if (over.status() === 200) return verdict(['one stream more than the limit was admitted']);
  if (over.status() === undefined && within.some((stream) => stream.status() === undefined)) {
    const reason = 'streams within the limit wait as one beyond it does: the target runs fewer at a time';
    return undecided('concurrency', reason, counted);
  }
  within[0]?.leave();
  return verdict(over.status() === undefined ? await brokenQueue(key, over) : await brokenRelease(key));
}

/** What waits is admitted once another has left. */
async function brokenQueue(key: TierKey, waiting: Stream): Promise<string[]> {
  const begin = performance.now();
  while (waiting.status() === undefined && performance.now() - begin < releaseMs) {
    await sleep(50, undefined, { signal: key.signal });
  }
  const is = waiting.status() === 200;
  return is ? [] : [`a stream that waited is not admitted ${releaseMs / 1000} s after another's client left`];
}

/** A place is free again when its client has left, and when its answer has ended. */
async function brokenRelease(key: TierKey): Promise<string[]> {
  if (!(await isAdmitted(key))) return [`a place is not free ${releaseMs / 1000} s after its client left`];
  // Each of these has to give its place back for the next.
  for (let chat = 0; chat < 3; chat += 1) {
    if (!(await isAdmitted(key))) return [`a place is not free ${releaseMs / 1000} s after its answer ended`];
  }
  return [];
}

async function isAdmitted(key: TierKey): Promise<boolean> {
  const begin = performance.now();
  do {
    if ((await shortChat(key)).status === 200) return true;
    await sleep(300, undefined, { signal: key.signal });
  } while (performance.now() - begin < releaseMs);
  return false;
}

/** Asks for a stream, and waits for its first piece, its refusal, or until patience ends. */
async function ask(key: TierKey, maxTokens: number, patienceMs: number): Promise<Stream> {
  const leaving = new AbortController();
  let status: number | undefined;
  let isOver = () => false;
  const answered = key.contact
    .openStream({ ...chatBody(key, maxTokens), stream: true }, leaving.signal)
    .then(async (stream) => {
      isOver = await stream.first;
      status = stream.status;
    });
  // One that is left while it waits ends in an error that nobody needs.
  answered.catch(() => {});
  const impatience = new AbortController();
  const waits =
    patienceMs === Number.POSITIVE_INFINITY ? [] : [sleep(patienceMs, undefined, { signal: impatience.signal })];
  await Promise.race([answered, ...waits]).finally(() => impatience.abort());
  return {
    status: () => status,
    isOver: () => isOver(),
    leave: () => leaving.abort(),
  };
}
