import { setTimeout as sleep } from 'node:timers/promises';
import type { TierCheck } from '../../specs/wire.ts';
import { LoadProblem } from '../problem.ts';
import type { Answer } from '../target.ts';
import { shareOf, socketChats, socketCosts } from './burst-count.ts';
import { type BurstAnswer, wrongHeaders } from './burst-headers.ts';
import { chatWords } from './chat-words.ts';
import { type Headed, limitState, slackMs } from './limit-state.ts';
import type { SocketAnswer } from './socket-answer.ts';
import { freshWindow, pause, shortChat, type TierKey } from './tier-key.ts';
import { countStatuses, decided, undecided } from './verdict.ts';
import { shapeOf } from './window-shape.ts';

const unknownLimit = 'no limit is stated, and no header X-RateLimit-Limit gives one';

/** A burst that runs into the next window proves nothing, and is tried again this often. */
const tries = 3;

/**
 * Sends more requests than a window admits as fast as a few lanes can, some of them over sockets, counts what is
 * admitted, and tries again after the reset. @param stated the tier's limit; absent where the headers are to say it
 */
export async function checkBurst(key: TierKey, stated: number | undefined, concurrent = 4): Promise<TierCheck> {
  for (let attempt = 1; ; attempt += 1) {
    await freshWindow(key);
    const begin = performance.now();
    const first = await tryChat(key);
    const limit = stated ?? limitState(first).limit;
    if (limit === undefined) return undecided('burst', unknownLimit);
    const overSockets = await chatOverSockets(key, limit);
    const answers = await sendAll(key, first, limit + Math.max(5, Math.ceil(limit / 10)), concurrent);
    const tookSeconds = (performance.now() - begin) / 1000;
    const counted = countStatuses([...overSockets, ...answers.map(({ status }) => status)]);
    const shape = shapeOf(resetsOf(answers, 200), key.windowSeconds);
    if (shape === 'two windows' || tookSeconds > 0.9 * key.windowSeconds) {
      if (attempt < tries) continue;
      const reason = `${counted.sent} requests took ${tookSeconds.toFixed(1)} s, and did not fit one window`;
      return undecided('burst', reason, counted);
    }
    const back = shape === 'bucket' ? Math.floor((limit * tookSeconds) / key.windowSeconds) + 1 : 0;
    const admitted = answers.filter(({ status }) => status === 200).length;
    const share = shareOf(overSockets, { limit, admitted, back, isWhole: counted.other === 0 });
    const { expected } = share;
    const left = Math.max(0, expected - admitted);
    const broken = [
      ...share.broken,
      ...wrongHeaders(answers, {
        limit,
        windowSeconds: key.windowSeconds,
        overSockets: share.overSockets,
        left,
        back,
      }),
    ].map(({ words }) => words);
    const after = counted.refused > 0 ? await afterReset(key, answers) : 200;
    if (after === 429) broken.push('after the reset a request is refused');
    const open = [
      ...(after === 200 || after === 429 ? [] : ['the request after the reset was neither admitted nor refused']),
      ...(key.noSockets === undefined ? [] : [`only REST was counted: ${key.noSockets}`]),
      ...(key.sockets && overSockets.length === 0 ? ['only REST was counted: the limit is too low for sockets'] : []),
    ];
    return decided('burst', { limit, expected: expected + overSockets.length }, counted, broken, open);
  }
}

/** The statuses of a few chats over sockets; none where the limit is too low to tell their share. */
async function chatOverSockets({ sockets, contact }: TierKey, limit: number): Promise<number[]> {
  if (sockets === undefined || limit < socketCosts.both + 3) return [];
  const answers: SocketAnswer[] = [];
  for (let chat = 0; chat < socketChats.alone; chat += 1) answers.push(await sockets.chat(chatWords(1)));
  answers.push(...(await sockets.series(chatWords(1), socketChats.together)));
  for (const { tokens = 0 } of answers) contact.spend(tokens);
  return answers.map(({ status }) => status);
}

/**
 * Sends as many requests as the limit allows in a window, evenly over a little more than one: all are admitted.
 * @param concurrent chats that the tier runs at a time, so that one more would be refused for that
 */
export async function checkPaced(
  key: TierKey,
  stated: number | undefined,
  concurrent: number | undefined,
): Promise<TierCheck> {
  await freshWindow(key);
  const begin = performance.now();
  const first = await tryChat(key);
  const limit = stated ?? limitState(first).limit;
  if (limit === undefined) return undecided('paced', unknownLimit);
  const gapMs = (key.windowSeconds * 1050) / limit;
  const answering: Promise<Answer>[] = [Promise.resolve(first)];
  let underWay = 0;
  let most = 0;
  let isTooSlow = false;
  for (let request = 1; request < limit; request += 1) {
    key.show(`${request} of ${limit} requests sent`);
    await sleep(Math.max(0, begin + request * gapMs - performance.now()), undefined, { signal: key.signal });
    isTooSlow = underWay >= (concurrent ?? Number.POSITIVE_INFINITY);
    if (isTooSlow) break;
    underWay += 1;
    most = Math.max(most, underWay);
    const answer = tryChat(key).finally(() => {
      underWay -= 1;
    });
    // An interruption rejects it while nothing waits for it yet; whoever waits for all of them is told.
    answer.catch(() => {});
    answering.push(answer);
  }
  const answers = await Promise.all(answering);
  const counted = countStatuses(answers.map(({ status }) => status));
  // Beside others a refusal may be for the places of those, or of some before them that are left late.
  const mayBeForPlaces = counted.refused > 0 && most > lanesOf(concurrent);
  if (mayBeForPlaces || (isTooSlow && counted.refused === 0)) {
    return undecided('paced', `answers too slow for an even pace: ${most} were under way at a time`, counted);
  }
  const broken =
    counted.refused > 0 ? [`${counted.refused} of ${answers.length} evenly spaced requests were refused`] : [];
  return decided('paced', { limit, expected: limit }, counted, broken);
}

/** A short chat; where no answer comes, one that is neither an admission nor a refusal. */
async function tryChat(key: TierKey): Promise<Answer> {
  try {
    return await shortChat(key);
  } catch (error) {
    if (error instanceof LoadProblem) return { status: 0, headers: {}, body: undefined, at: Date.now() };
    throw error;
  }
}

/**
 * So many requests with the first, which was answered; at half the tier's concurrency, so that no request is refused for
 * that.
 */
async function sendAll(key: TierKey, first: Answer, requests: number, concurrent: number): Promise<BurstAnswer[]> {
  const answers: BurstAnswer[] = [{ ...first, admittedBefore: 0, begun: 1, isAfterSockets: false }];
  let begun = 1;
  let admitted = first.status === 200 ? 1 : 0;
  const lane = async () => {
    while (begun < requests) {
      begun += 1;
      const admittedBefore = admitted;
      const answer = await tryChat(key);
      if (answer.status === 200) admitted += 1;
      answers.push({ ...answer, admittedBefore, begun, isAfterSockets: true });
    }
  };
  await Promise.all(Array.from({ length: lanesOf(concurrent) }, lane));
  return answers;
}

/** Requests at a time of which none is refused for that: half of what the tier runs, as a place may be left late. */
function lanesOf(concurrent = 2): number {
  return Math.max(1, Math.floor(concurrent / 2));
}

/** What the answers of a status say of the reset, in epoch milliseconds. */
function resetsOf(answers: readonly Headed[], status: number): number[] {
  return answers.flatMap((answer) => (answer.status === status ? (limitState(answer).resetAt ?? []) : []));
}

/** The status of a request after the reset that the refusals name. */
async function afterReset(key: TierKey, answers: readonly Headed[]): Promise<number> {
  const untilMs = Math.max(0, ...resetsOf(answers, 429).map((resetAt) => resetAt - Date.now()));
  await pause(key, Math.min(untilMs, key.windowSeconds * 1000) + slackMs, 'until the reset that the refusals name');
  return (await tryChat(key)).status;
}
