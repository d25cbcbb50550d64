import { shareOf, socketChats, socketCosts } from '../tier/burst-count.ts';
import { type BurstAnswer as HeaderAnswer, wrongHeaders } from '../tier/burst-headers.ts';
import { chatWords } from '../tier/chat-words.ts';
import { limitState, slackMs } from '../tier/limit-state.ts';
import type { SocketAnswer } from '../tier/socket-answer.ts';
import { shapeOf } from '../tier/window-shape.ts';
import { type Check, type Report, tierScript } from './tier.ts';
import { type Answer, freshWindow, inParallel, ownRequests, type TierTarget, wait } from './tier-target.ts';

const defaultWindowSeconds = 60;

/** Few enough at a time that the limit on concurrency, which a place left late may hit, plays no part. */
function atATime(concurrent = 2): number {
  return Math.min(20, Math.max(1, Math.floor(concurrent / 2)));
}

/** A burst that does not end within its window proves nothing, and is tried again this often. */
const tries = 3;

/** More at once than a window allows: exactly the limit is admitted, and one more only after the reset. */
const burst: Check = async ({ profile: { limits }, target }, report) => {
  if (target.lacksSockets) report.find('no-sockets');
  const windowSeconds = limits.windowSeconds ?? defaultWindowSeconds;
  for (let attempt = 1; ; attempt += 1) {
    const window = await freshWindow(windowSeconds);
    const limit = limits.requestsPerMinute ?? window?.limit;
    if (limit === undefined) return report.find('no-limit-known');
    const used = window?.used ?? 0;
    const expected = limit - used;
    const begun = window?.since ?? Date.now();
    const overSockets = await chatOverSockets(target, expected);
    const count = expected + Math.max(10, Math.ceil(limit / 10));
    const answers = await burstOf(count, atATime(limits.concurrent), target);
    const took = Date.now() - begun;
    const end = begun + windowSeconds * 1000;
    const shape = shapeOf(resetsOf(answers, 'admitted'), windowSeconds);
    const comesBack = shape === 'bucket';
    const { resetAt = end } = window ?? {};
    // Headers give whole seconds, so that the window may end a second earlier than it seems; one that has ended lies.
    const before = (comesBack || resetAt < begun ? end : Math.min(end, resetAt)) - 1500;
    const isTooSlow = shape === 'two windows' || Date.now() > before;
    if (isTooSlow && attempt < tries) continue;
    for (const answer of [...overSockets, ...answers]) report.answer(answer);
    if (isTooSlow) {
      report.expect(limit, expected);
      return report.find('too-slow');
    }
    if (used > ownRequests) report.find('key-in-use');
    if (target.sockets && overSockets.length === 0) report.find('limit-too-low');
    const back = comesBack ? Math.floor((limit * took) / (windowSeconds * 1000)) + 1 : 0;
    const statuses = overSockets.map(({ status }) => status);
    const overRest = judge(answers, { limit, used, statuses, back, windowSeconds }, report);
    // One of the two requests across the reset is admitted.
    report.expect(limit, overRest + overSockets.length + 1);

    const ask = async (at: number) => {
      await wait(at - Date.now());
      const answer = await target.chat('burst');
      report.answer(answer);
      return answer.kind;
    };
    const refusals = answers.filter(({ kind }) => kind === 'refused');
    if (refusals.length > 0 && !comesBack && (await ask(before)) === 'admitted') {
      // One that was on its way for long may have come after it.
      report.find(Date.now() < before + 1000 ? 'admitted-before-reset' : 'too-slow');
    }
    const resets = resetsOf(answers, 'refused');
    const reopened = Math.min(Math.max(...(resets.length > 0 ? resets : [end])), Date.now() + windowSeconds * 1000);
    if ((await ask(reopened + slackMs)) === 'refused') report.find('refused-after-reset');
    return;
  }
};

/** A few chats over sockets; none where a limit of so much is too low to tell their share. */
async function chatOverSockets({ sockets }: TierTarget, limit: number): Promise<readonly SocketAnswer[]> {
  if (sockets === undefined || limit < socketCosts.both + 3) return [];
  const alone: SocketAnswer[] = [];
  for (let chat = 0; chat < socketChats.alone; chat += 1) alone.push(await sockets.chat(chatWords(1)));
  return [...alone, ...(await sockets.series(chatWords(1), socketChats.together))];
}

type BurstAnswer = Answer & HeaderAnswer;

/** So many requests, at most so many at a time. */
async function burstOf(count: number, atATime: number, target: TierTarget): Promise<readonly BurstAnswer[]> {
  let begun = 0;
  let admitted = 0;
  return inParallel(count, atATime, async () => {
    begun += 1;
    const admittedBefore = admitted;
    const answer = await target.chat('burst');
    if (answer.kind === 'admitted') admitted += 1;
    return { ...answer, admittedBefore, begun, isAfterSockets: true };
  });
}

function resetsOf(answers: readonly Answer[], wanted: Answer['kind']): number[] {
  return answers.flatMap((answer) => (answer.kind === wanted ? (limitState(answer).resetAt ?? []) : []));
}

interface Burst {
  readonly limit: number;
  /** Of the window, before the burst. */
  readonly used: number;
  /** Those of the chats over sockets. */
  readonly statuses: readonly number[];
  /** Requests that may have come back meanwhile. */
  readonly back: number;
  readonly windowSeconds: number;
}

/** Judges the burst as the embedded engine does. @returns how many requests over REST the limit admits */
function judge(answers: readonly BurstAnswer[], burst: Burst, report: Report): number {
  const { limit, used, statuses, back, windowSeconds } = burst;
  const count = (kind: Answer['kind']) => answers.filter((answer) => answer.kind === kind).length;
  const admitted = count('admitted');
  const share = shareOf(statuses, { limit: limit - used, admitted, back, isWhole: count('other') === 0 });
  // What was used before was admitted before, and may have left a sliding window since.
  const shifted = answers.map((answer) => ({
    ...answer,
    admittedBefore: answer.admittedBefore + used,
    begun: answer.begun + used,
  }));
  const left = Math.max(0, share.expected - admitted);
  const { overSockets } = share;
  const headers = wrongHeaders(shifted, { limit, windowSeconds, overSockets, left, back: back + used });
  for (const name of new Set([...share.broken, ...headers].map((fault) => fault.name))) report.find(name);
  return share.expected;
}

/** A window's requests evenly over its length: none is refused. */
const paced: Check = async ({ profile: { limits }, target }, report) => {
  const windowSeconds = limits.windowSeconds ?? defaultWindowSeconds;
  const window = await freshWindow(windowSeconds);
  const limit = limits.requestsPerMinute ?? window?.limit;
  if (limit === undefined) return report.find('no-limit-known');
  const used = window?.used ?? 0;
  if (used > ownRequests) report.find('key-in-use');
  const expected = limit - used;
  report.expect(limit, expected);
  const most = atATime(limits.concurrent);
  const begun = Date.now();
  const underWay = new Set<Promise<void>>();
  let refused = 0;
  for (let index = 0; index < expected; index += 1) {
    await wait(begun + (index * windowSeconds * 1000) / limit - Date.now());
    if (underWay.size >= most) {
      report.find('too-slow-for-pace');
      break;
    }
    const asked = target.chat('paced').then((answer) => {
      report.answer(answer);
      if (answer.kind === 'refused') refused += 1;
      underWay.delete(asked);
    });
    underWay.add(asked);
  }
  await Promise.all(underWay);
  if (refused > 0) report.find('refused-while-paced');
};

/** Whether the limit on requests a minute holds: a burst, a pair across the reset, and an even pace. */
export const { options, setup, check, handleSummary } = tierScript({ burst, paced }, '1h');
