import { setTimeout as sleep } from 'node:timers/promises';
import type { TierCheck } from '../../specs/wire.ts';
import { chatBody, roomFor, shortChat, type TierKey } from './tier-key.ts';
import { countStatuses, decided, undecided } from './verdict.ts';

/** Lengths to hold a place with, the longest first; a target may refuse what exceeds its context. */
const lengths = [3_500, 1_000, 200];

/** A place that a client left is free again within this. */
const releaseMs = 3_000;

interface Held {
  readonly status: number;
  isOpen(): boolean;
  leave(): void;
}

/**
 * Holds as many streams as the tier runs at a time, sees one more refused, leaves one, and sees the next admitted. Each
 * stream has a connection of its own.
 */
export async function checkConcurrency(key: TierKey, limit: number | undefined): Promise<TierCheck> {
  if (limit === undefined) {
    return undecided('concurrency', 'no limit is stated: give limits.concurrent in a profile of your own');
  }
  await roomFor(key, limit + 25);
  const held: Held[] = [];
  const leaveAll = () => {
    for (const stream of held) stream.leave();
  };
  try {
    let maxTokens = lengths[0] ?? 1;
    for (const length of lengths) {
      maxTokens = length;
      const first = await hold(key, maxTokens);
      if (first.status !== 400) {
        held.push(first);
        break;
      }
    }
    while (held.length < limit && held.every(({ status }) => status === 200)) held.push(await hold(key, maxTokens));
    const early = held.find(({ status }) => status !== 200);
    const over = early ?? (await hold(key, maxTokens));
    // An end that was sent before the answer to the last may be read after it.
    await sleep(50, undefined, { signal: key.signal });
    const stillOpen = held.filter((stream) => stream.isOpen()).length;
    if (early === undefined) held.push(over);
    const counted = countStatuses(held.map(({ status }) => status));
    const expected = { limit, expected: limit };
    if (early?.status === 429) {
      const broken = [`stream ${held.length} of ${limit} was refused, with ${held.length - 1} under way`];
      return decided('concurrency', expected, counted, broken);
    }
    if (early !== undefined) return decided('concurrency', expected, counted, []);
    if (stillOpen < limit) {
      const reason = `${limit - stillOpen} of ${limit} streams ended before one more was tried: a slower model is needed`;
      return undecided('concurrency', reason, counted);
    }
    const broken =
      over.status === 200 ? ['one stream more than the limit was admitted'] : await brokenRelease(key, held);
    return decided('concurrency', expected, counted, broken);
  } finally {
    leaveAll();
  }
}

/** A place is free again when its client has left, and when its answer has ended. */
async function brokenRelease(key: TierKey, held: readonly Held[]): Promise<string[]> {
  held[0]?.leave();
  const admittedAfterLeaving = await isAdmitted(key);
  if (!admittedAfterLeaving) return [`a place is not free ${releaseMs / 1000} s after its client left`];
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

/** Begins a stream; it holds its place from its first piece to its end. */
async function hold(key: TierKey, maxTokens: number): Promise<Held> {
  const { status, first, leave } = await key.contact.openStream({ ...chatBody(key, maxTokens), stream: true });
  const ended = await first;
  return { status, isOpen: () => status === 200 && !ended(), leave };
}
