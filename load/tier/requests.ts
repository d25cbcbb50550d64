import type { TierCheck } from '../../specs/wire.ts';
import type { Answer } from '../target.ts';
import { type LimitState, limitState } from './limit-state.ts';
import { freshWindow, pause, shortChat, type TierKey } from './tier-key.ts';
import { countStatuses, decided, undecided } from './verdict.ts';

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
    const first = await shortChat(key);
    const comesBack = isBucket(first, key.windowSeconds);
    const limit = stated ?? limitState(first).limit;
    if (limit === undefined) return undecided('burst', 'no limit is stated, and no header X-RateLimit-Limit gives one');
    const answers = [first, ...(await sendAll(key, limit + Math.max(5, Math.ceil(limit / 10)) - 1, concurrent))];
    const tookSeconds = (performance.now() - begin) / 1000;
    const counted = countStatuses(answers.map(({ status }) => status));
    if (!comesBack && spansWindows(answers, key.windowSeconds) && attempt < tries) continue;
    if (tookSeconds > 0.9 * key.windowSeconds) {
      return undecided(
        'burst',
        `${answers.length} requests took ${tookSeconds.toFixed(1)} s, too long for one window`,
        counted,
      );
    }
    const most = comesBack ? Math.floor(limit * (1 + tookSeconds / key.windowSeconds)) + 1 : limit;
    const broken = [
      ...(counted.admitted > most ? [`${counted.admitted - most} more than the limit were admitted in a window`] : []),
      ...(counted.admitted < limit && counted.other === 0
        ? [`${limit - counted.admitted} fewer than the limit were admitted in a fresh window`]
        : []),
      ...wrongHeaders(answers, limit, key.windowSeconds),
      ...(counted.refused > 0 ? await brokenReset(key, answers) : []),
    ];
    return decided('burst', { limit, expected: limit }, counted, broken);
  }
}

/** Sends as many requests as the limit allows in a window, evenly over a little more than one: all are admitted. */
export async function checkPaced(key: TierKey, stated: number | undefined): Promise<TierCheck> {
  await freshWindow(key);
  const begin = performance.now();
  const answering = [shortChat(key)];
  const limit = stated ?? limitState((await answering[0]) as Answer).limit;
  if (limit === undefined) return undecided('paced', 'no limit is stated, and no header X-RateLimit-Limit gives one');
  const gapMs = (key.windowSeconds * 1050) / limit;
  for (let request = 1; request < limit; request += 1) {
    await pause(key, begin + request * gapMs - performance.now(), '');
    answering.push(shortChat(key));
  }
  const answers = await Promise.all(answering);
  const counted = countStatuses(answers.map(({ status }) => status));
  const broken = counted.refused > 0 ? [`${counted.refused} of ${limit} evenly spaced requests were refused`] : [];
  return decided('paced', { limit, expected: limit }, counted, broken);
}

/** At half the tier's concurrency, so that no request is refused for that. */
async function sendAll(key: TierKey, requests: number, concurrent: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  let left = requests;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      answers.push(await shortChat(key));
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.floor(concurrent / 2)) }, lane));
  return answers;
}

/** Whether requests come back one by one: after a single one of a whole window the limit is soon whole again. */
function isBucket(first: Answer, windowSeconds: number): boolean {
  const { reset } = limitState(first);
  return reset !== undefined && reset - Date.now() / 1000 < 0.7 * windowSeconds;
}

/** Whether the admitted requests counted for more than one window, as their resets tell. */
function spansWindows(answers: readonly Answer[], windowSeconds: number): boolean {
  const resets = answers.flatMap((answer) => (answer.status === 200 ? (limitState(answer).reset ?? []) : []));
  return resets.length > 0 && Math.max(...resets) - Math.min(...resets) >= 0.75 * windowSeconds;
}

/** What the headers of a whole burst say that cannot be. */
function wrongHeaders(answers: readonly Answer[], limit: number, windowSeconds: number): string[] {
  const seconds = Date.now() / 1000;
  const admitted = answers.filter(({ status }) => status === 200).map(limitState);
  const refused = answers.filter(({ status }) => status === 429).map(limitState);
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
    ...(least === left ? [] : [`headers: the last admitted request says that ${least} remain, and ${left} do`]),
    ...wrong(
      refused,
      ({ remaining }) => remaining !== 0,
      ({ remaining }) => `a refusal says that ${remaining ?? 'nothing'} remain`,
    ),
    ...wrong(
      admitted,
      ({ reset = 0 }) => reset < seconds - windowSeconds - 60 || reset > seconds + windowSeconds + 60,
      ({ reset }) => `X-RateLimit-Reset ${reset ?? 'absent'} is not within a window of now`,
    ),
  ];
}

/** After the reset that the refusals name, a request is admitted again. */
async function brokenReset(key: TierKey, answers: readonly Answer[]): Promise<string[]> {
  const resets = answers.flatMap((answer) => (answer.status === 429 ? (limitState(answer).reset ?? []) : []));
  const told = resets.length > 0 ? Math.max(...resets) * 1000 - Date.now() : 0;
  const waitMs = Math.min(Math.max(0, told), key.windowSeconds * 1000) + 1_200;
  await pause(key, waitMs, 'until the reset that the refusals name');
  const { status } = await shortChat(key);
  return status === 200 ? [] : [`after the reset a request is answered with ${status}`];
}
