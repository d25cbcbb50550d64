import { setTimeout as sleep } from 'node:timers/promises';
import type { TierCheck } from '../../specs/wire.ts';
import type { OpenStream } from '../target.ts';
import { chatBody, chatWords } from './chat-words.ts';
import { findings } from './findings.ts';
import { roomFor, shortChat, socketChat, type TierKey, waitForRequests } from './tier-key.ts';
import { countStatuses, decided, undecided } from './verdict.ts';

/** Lengths to hold a place with, the longest first; a target may refuse what exceeds its context. */
const lengths = [3_500, 1_000, 200];

/** A place that a client left is free again within this. */
const releaseMs = 3_000;

/** Of a place that is not free, times that this may be for want of requests. */
const mostPauses = 2;

/** A stream that has no answer after this, and after three times what the first took for each, waits in a queue. */
const leastPatienceMs = 3_000;

/** A stream that was asked for. */
interface Stream {
  readonly way: Way;
  /** Absent while it waits for an answer. */
  status(): number | undefined;
  isOver(): boolean;
  isLeft(): boolean;
  leave(): void;
}

/** How a stream is asked for. */
type Way = 'rest' | 'socket';

function ways({ sockets }: TierKey): readonly Way[] {
  return sockets ? ['rest', 'socket'] : ['rest'];
}

/** What was asked for: as many as the limit allows, and beyond. */
interface Held {
  /** Of each. */
  readonly maxTokens: number;
  readonly within: readonly Stream[];
  /** One more over REST, and where that is refused one more over a socket. */
  readonly beyond: readonly Stream[];
  /** How long each was waited for. */
  readonly patienceMs: number;
}

/**
 * Holds as many streams as the tier runs at a time, half of them over sockets, sees one more refused or made to wait over
 * either, leaves one of each, and sees the next admitted. Each stream has a connection of its own.
 */
export async function checkConcurrency(key: TierKey, limit: number | undefined): Promise<TierCheck> {
  if (limit === undefined) {
    return undecided('concurrency', 'no limit is stated: give limits.concurrent in a profile of your own');
  }
  // A stream over a socket may count for two requests.
  const needed = 2 * limit + 4;
  const room = await roomFor(key, needed + 21);
  if (room < needed) {
    return undecided('concurrency', `takes ${needed} requests in a window, and the limit of requests is ${room}`);
  }
  const streams: Stream[] = [];
  try {
    const held = await fill(key, limit, streams);
    // An end that was sent before the answer to the last may be read after it.
    await sleep(50, undefined, { signal: key.signal });
    return await judge(key, limit, held, streams);
  } finally {
    for (const stream of streams) stream.leave();
  }
}

/** Asks for streams. @param streams is given each of them, however this ends */
async function fill(key: TierKey, limit: number, streams: Stream[]): Promise<Held> {
  const begin = performance.now();
  const hold = (way: Way, maxTokens: number, patienceMs: number) => ask(key, way, maxTokens, patienceMs, streams);
  let maxTokens = 0;
  let patienceMs = leastPatienceMs;
  let first: Stream | undefined;
  for (const length of lengths) {
    maxTokens = length;
    first = await hold('rest', maxTokens, Number.POSITIVE_INFINITY);
    if (first.status() !== 400) break;
  }
  if (first?.status() !== 200) return { maxTokens, within: first ? [first] : [], beyond: [], patienceMs };
  patienceMs = Math.max(leastPatienceMs, 3 * limit * (performance.now() - begin));
  const overSockets = key.sockets ? Math.floor(limit / 2) : 0;
  const others = Array.from({ length: limit - 1 }, (_, index) =>
    hold(index < overSockets ? 'socket' : 'rest', maxTokens, patienceMs),
  );
  const within = [first, ...(await Promise.all(others))];
  const beyond: Stream[] = [];
  if (within.some((stream) => (stream.status() ?? 200) !== 200)) return { maxTokens, within, beyond, patienceMs };
  for (const way of ways(key)) {
    const stream = await hold(way, maxTokens, patienceMs);
    beyond.push(stream);
    if (stream.status() === 200) break;
  }
  return { maxTokens, within, beyond, patienceMs };
}

async function judge(key: TierKey, limit: number, held: Held, streams: Stream[]): Promise<TierCheck> {
  const { within, beyond } = held;
  // What waits for the target within the limit is not refused; what waits beyond it is kept from running, as a refusal does.
  const counted = countStatuses([
    ...within.map((stream) => stream.status() ?? 200),
    ...beyond.map((stream) => stream.status() ?? 429),
  ]);
  const open = key.noSockets === undefined ? [] : [`only REST was tried: ${key.noSockets}`];
  const verdict = (broken: readonly string[]) =>
    decided('concurrency', { limit, expected: limit }, counted, broken, open);
  if (counted.other > 0) return verdict([]);
  if (beyond.length === 0) return verdict([`${counted.admitted} of ${limit} streams were admitted`]);
  const ended = within.filter((stream) => stream.isOver()).length;
  if (ended > 0) {
    const reason = `${ended} of ${limit} streams ended before one more was tried: a slower model is needed`;
    return undecided('concurrency', reason, counted);
  }
  const admitted = beyond.find((stream) => stream.status() === 200);
  if (admitted !== undefined && within.some(waits)) return undecided('concurrency', findings.overtaken, counted);
  if (admitted !== undefined)
    return verdict([`one stream more than the limit was admitted${beside(within, admitted)}`]);
  if (beyond.some(waits) && within.some(waits)) {
    const reason = 'streams within the limit wait as one beyond it does: the target runs fewer at a time';
    return undecided('concurrency', reason, counted);
  }
  if (beyond.some(waits)) return verdict(await brokenQueue(key, held));
  const { maxTokens } = held;
  for (const way of ways(key)) {
    const found = await tryRelease(key, { limit, way, maxTokens, streams });
    if (found === 'free') continue;
    return 'open' in found ? undecided('concurrency', found.open, counted) : verdict([found.broken]);
  }
  return verdict([]);
}

const waits = (stream: Stream) => stream.status() === undefined;

/** Which streams were counted apart, if that is what went wrong. */
function beside(within: readonly Stream[], over: Stream): string {
  const others = within.filter(({ way }) => way !== over.way).length;
  if (others === 0) return '';
  return over.way === 'rest' ? `, beside ${others} over sockets` : ' over a socket';
}

/** What waits is admitted once another has left, and begins no later than others did. */
async function brokenQueue({ signal }: TierKey, { within, beyond, patienceMs }: Held): Promise<string[]> {
  const begin = performance.now();
  within[0]?.leave();
  while (beyond.every((stream) => stream.status() !== 200)) {
    if (performance.now() - begin > patienceMs) {
      return [`a stream that waited is not admitted ${Math.ceil(patienceMs / 1000)} s after another's client left`];
    }
    await sleep(50, undefined, { signal });
  }
  return [];
}

interface Release {
  readonly limit: number;
  readonly way: Way;
  readonly maxTokens: number;
  /** All that were asked for. */
  readonly streams: Stream[];
}

/** A release of which the proof was lost, as another stream ended, is tried again this often. */
const tries = 3;

/**
 * Whether a place is free again when its client has left, and when its answer has ended. All the others are held when
 * that is tried, so that it is that very place; refusals come at once, as one beyond the limit has shown.
 */
async function tryRelease(key: TierKey, release: Release): Promise<'free' | { broken: string } | { open: string }> {
  const { limit, way, streams } = release;
  const where = way === 'socket' ? ' over a socket' : '';
  const notFree = (status: number, since: string) =>
    status === 429
      ? { broken: `a place${where} is not free ${releaseMs / 1000} s after ${since}` }
      : { open: `whether a place${where} is free after ${since} is not seen: a chat was neither admitted nor refused` };
  const areOthersHeld = () => streams.filter(isHeld).length === limit - 1;
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const before = await holdAll(key, release);
    if (before === 'ended') continue;
    if (before !== 'held') return notFree(before, 'its answer ended');
    streams.find((stream) => stream.way === way && isHeld(stream))?.leave();
    let isProof = false;
    const given = await grantOf(key, async () => {
      isProof = areOthersHeld();
      return way === 'socket' ? socketChat(key) : (await shortChat(key)).status;
    });
    if (given !== 200) return notFree(given, 'its client left');
    if (!isProof) continue;
    // Over REST there are two kinds of answers, and either has to give its place back for all to be held again.
    const streamed = way === 'socket' ? 200 : await grantOf(key, () => shortStream(key));
    const after = streamed === 200 ? await holdAll(key, release) : streamed;
    if (after === 'held') return 'free';
    if (after !== 'ended') return notFree(after, 'its answer ended');
  }
  return { open: 'streams end before it is seen whether places are free again: a slower model is needed' };
}

/** The status of a stream that ends by itself. */
async function shortStream(key: TierKey): Promise<number> {
  return (await shortChat(key, { stream: true })).status;
}

/** One that has no piece yet has its place all the same, as one beyond it was refused. */
const isHeld = (stream: Stream) => (stream.status() ?? 200) === 200 && !stream.isOver() && !stream.isLeft();

/**
 * Asks for what is missing for all places to be held, one of them at least in the way that is tried.
 * @returns `ended` where some ended while others were asked for; the status of one that was not admitted
 */
async function holdAll(key: TierKey, release: Release): Promise<'held' | 'ended' | number> {
  const { limit, way, maxTokens, streams } = release;
  const isMissing = () => !streams.some((stream) => stream.way === way && isHeld(stream));
  if (isMissing() && streams.filter(isHeld).length >= limit) streams.find(isHeld)?.leave();
  const missing = limit - streams.filter(isHeld).length;
  const ways = Array.from({ length: missing }, (_, index) => (index === 0 && isMissing() ? way : 'rest'));
  const asked = await Promise.all(ways.map((one) => holdOne(key, one, maxTokens, streams)));
  const missed = asked.find((status) => status !== 200);
  if (missed !== undefined) return missed;
  return streams.filter(isHeld).length === limit && !isMissing() ? 'held' : 'ended';
}

/** Asks for a stream until it has a place, as one that was left may be free a moment later. */
async function holdOne(key: TierKey, way: Way, maxTokens: number, streams: Stream[]): Promise<number> {
  return grantOf(key, async () => (await ask(key, way, maxTokens, leastPatienceMs, streams)).status() ?? 200);
}

/**
 * Tries until one is admitted that begins no later than a place may take to be free, however long answers take.
 * @returns the status of the last
 */
async function grantOf(key: TierKey, attempt: () => Promise<number>): Promise<number> {
  let since = performance.now();
  for (let pauses = 0; ; ) {
    const begin = performance.now();
    const status = await attempt();
    if (status === 200 || begin - since > releaseMs) return status;
    if (pauses < mostPauses && (await waitForRequests(key))) {
      pauses += 1;
      since = performance.now();
    } else await sleep(300, undefined, { signal: key.signal });
  }
}

/** Asks for a stream, and waits for its first piece, its refusal, or until patience ends. */
async function ask(key: TierKey, way: Way, maxTokens: number, patienceMs: number, streams: Stream[]): Promise<Stream> {
  const leaving = new AbortController();
  let status: number | undefined;
  let isOver = () => false;
  const answered = open(key, way, maxTokens, leaving.signal).then(async (stream) => {
    isOver = await stream.first;
    status = stream.status;
  });
  const stream: Stream = {
    way,
    status: () => status,
    isOver: () => isOver(),
    isLeft: () => leaving.signal.aborted,
    leave: () => leaving.abort(),
  };
  streams.push(stream);
  // One that is left while it waits ends in an error that nobody needs.
  answered.catch(() => {});
  const impatience = new AbortController();
  const waiting =
    patienceMs === Number.POSITIVE_INFINITY ? [] : [sleep(patienceMs, undefined, { signal: impatience.signal })];
  await Promise.race([answered, ...waiting]).finally(() => impatience.abort());
  return stream;
}

function open(key: TierKey, way: Way, maxTokens: number, leaving: AbortSignal): Promise<OpenStream> {
  if (way === 'socket' && key.sockets) return key.sockets.open(chatWords(maxTokens), leaving);
  return key.contact.openStream({ ...chatBody(key.wording, maxTokens), stream: true }, leaving);
}
