import type { TierCheck } from '../../specs/wire.ts';
import { LoadProblem } from '../problem.ts';
import type { Answer } from '../target.ts';
import { type LimitState, limitState } from './limit-state.ts';
import { freshWindow, pause, shortChat, slackMs, type TierKey } from './tier-key.ts';
import { countStatuses, decided, undecided } from './verdict.ts';
import { shapeOf } from './window-shape.ts';

const unknownLimit = 'no limit is stated, and no header X-RateLimit-Limit gives one';

/** A burst that runs into the next window proves nothing, and is tried again this often. */
const tries = 3;

/**
 * Sends more requests than a window admits as fast as a few lanes can, counts what is admitted, and tries again after
 * the reset. @param stated the tier's limit; absent where the headers are to say it
 */
export async function checkBurst(key: TierKey, stated: number | undefined, concurrent = 4): Promise<TierCheck> {
  for (let attempt = 1; ; attempt += 1) {
    await freshWindow(key);
    const begin = performance.now();
    const first = await tryChat(key);
    const limit = stated ?? limitState(first).limit;
    if (limit === undefined) return undecided('burst', unknownLimit);
    const answers = [first, ...(await sendAll(key, limit + Math.max(5, Math.ceil(limit / 10)) - 1, concurrent))];
    const tookSeconds = (performance.now() - begin) / 1000;
    const counted = countStatuses(answers.map(({ status }) => status));
    const shape = shapeOf(resetsOf(answers, 200), key.windowSeconds);
    if (shape === 'two windows' || tookSeconds > 0.9 * key.windowSeconds) {
      if (shape === 'two windows' && attempt < tries) continue;
      const reason = `${answers.length} requests took ${tookSeconds.toFixed(1)} s, and did not fit one window`;
      return undecided('burst', reason, counted);
    }
    const back = shape === 'bucket' ? Math.floor((limit * tookSeconds) / key.windowSeconds) + 1 : 0;
    const broken = [
      ...(counted.admitted > limit + back
        ? [`${counted.admitted - limit - back} more than the limit were admitted in a window`]
        : []),
      ...(counted.admitted < limit && counted.other === 0
        ? [`${limit - counted.admitted} fewer than the limit were admitted in a fresh window`]
        : []),
      ...wrongHeaders(answers, limit, key.windowSeconds),
    ];
    const after = counted.refused > 0 ? await afterReset(key, answers) : 200;
    if (after === 429) broken.push('after the reset a request is refused');
    const strange =
      after === 200 || after === 429 ? [] : ['the request after the reset was neither admitted nor refused'];
    return decided('burst', { limit, expected: limit }, counted, broken, strange);
  }
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
    await pause(key, begin + request * gapMs - performance.now(), '');
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
  // Unless the tier says how many run at a time, a refusal beside others may be for that.
  const mayBeForPlaces = concurrent === undefined && counted.refused > 0 && most > 1;
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

/** At half the tier's concurrency, so that no request is refused for that. */
async function sendAll(key: TierKey, requests: number, concurrent: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  let left = requests;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      answers.push(await tryChat(key));
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.floor(concurrent / 2)) }, lane));
  return answers;
}

/** What the answers of a status say of the reset, in epoch milliseconds. */
function resetsOf(answers: readonly Answer[], status: number): number[] {
  return answers.flatMap((answer) => (answer.status === status ? (limitState(answer).resetAt ?? []) : []));
}

/** What the headers of a whole burst say that cannot be. */
function wrongHeaders(answers: readonly Answer[], limit: number, windowSeconds: number): string[] {
  const statesOf = (wanted: number) => answers.filter(({ status }) => status === wanted).map(limitState);
  const [admitted, refused] = [statesOf(200), statesOf(429)];
  const wrong = (
    states: readonly LimitState[],
    isWrong: (state: LimitState) => boolean,
    words: (state: LimitState) => string,
  ) => {
    const state = states.find(isWrong);
    return state === undefined ? [] : [`headers: ${words(state)}`];
  };
  const least = Math.min(...admitted.map(({ remaining = Number.POSITIVE_INFINITY }) => remaining));
  const left = Math.max(0, limit - admitted.length);
  // What became of the others nobody knows: they may have been counted.
  const isCounted = admitted.length + refused.length === answers.length;
  return [
    ...wrong(
      admitted,
      (state) => state.limit !== limit,
      (state) => `X-RateLimit-Limit is ${state.limit ?? 'absent'}, the limit is ${limit}`,
    ),
    ...wrong(
      admitted,
      ({ used, remaining }) => used === undefined || remaining === undefined || used + remaining !== limit,
      ({ used, remaining }) =>
        `Used ${used ?? 'absent'} and Remaining ${remaining ?? 'absent'} do not add up to ${limit}`,
    ),
    ...(!isCounted || least === left
      ? []
      : [`headers: the last admitted request says that ${least} remain, and ${left} do`]),
    ...wrong(
      refused,
      ({ remaining }) => remaining !== 0,
      ({ remaining }) => `a refusal says that ${remaining ?? 'nothing'} remain`,
    ),
    ...(answers.some((answer) => answer.status === 200 && isFarReset(answer, windowSeconds))
      ? ['headers: X-RateLimit-Reset is absent or not within a window of its answer']
      : []),
  ];
}

/** Whether an answer names no reset, or one that is further off than a window, and a minute for the clock that told it. */
function isFarReset(answer: Answer, windowSeconds: number): boolean {
  const { resetAt = Number.POSITIVE_INFINITY } = limitState(answer);
  return Math.abs(resetAt - answer.at) > (windowSeconds + 60) * 1000;
}

/** The status of a request after the reset that the refusals name. */
async function afterReset(key: TierKey, answers: readonly Answer[]): Promise<number> {
  const untilMs = Math.max(0, ...resetsOf(answers, 429).map((resetAt) => resetAt - Date.now()));
  await pause(key, Math.min(untilMs, key.windowSeconds * 1000) + slackMs, 'until the reset that the refusals name');
  return (await tryChat(key)).status;
}
