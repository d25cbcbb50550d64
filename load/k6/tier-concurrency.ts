import { chatWords } from '../tier/chat-words.ts';
import type { FindingName } from '../tier/findings.ts';
import { limitState } from '../tier/limit-state.ts';
import { type Check, tierScript } from './tier.ts';
import { type Answer, freshWindow, wait } from './tier-target.ts';

/** Long enough that an answer is under way while the next requests are made, and what a limit of tokens can bear. */
const long = {
  stream: true,
  max_tokens: 1000,
  messages: [{ role: 'user', content: 'Count from one to a thousand in words, and leave out none.' }],
};
const short = { stream: false, max_tokens: 1 };
const settleMs = 500;
const graceMs = 3000;

/** A chat over a socket that has not begun after this waits for a place, or its target is slow. */
const patienceMs = 10_000;

/** One more that is admitted twice, so far apart, had no place of another that was on its way. */
const againMs = 1000;

/**
 * As many long answers as may run, half of them over sockets; the next request is refused over either; once the client
 * of a socket has left, and once an answer has ended, the next is admitted.
 */
const concurrency: Check = async ({ profile: { limits }, target }, report) => {
  const limit = limits.concurrent;
  if (limit === undefined) return report.find('no-limit-known');
  const { sockets } = target;
  if (target.lacksSockets) report.find('no-sockets');
  const { remaining = Number.POSITIVE_INFINITY } = (await freshWindow(limits.windowSeconds ?? 60)) ?? {};
  const overSockets = sockets ? Math.floor(limit / 2) : 0;
  // A chat over a socket may count for two requests; those beyond the places are two or three, and four see them free.
  if (remaining < limit + overSockets + (sockets ? 7 : 5)) return report.find('too-few-requests');
  report.expect(limit, limit + (overSockets > 0 ? 4 : 3));

  // While sockets are held, their places would hide those that other answers keep: here such a place is missing below.
  for (const members of [short, { ...short, stream: true }]) await isAdmittedSoon('slot-not-released', members);
  await wait(graceMs);

  const ended: Answer[] = [];
  const held = Array.from({ length: limit - overSockets }, async () => {
    const answer = await target.chat('concurrency', long);
    report.answer(answer);
    ended.push(answer);
  });
  let open = sockets ? Array.from({ length: overSockets }, () => sockets.open(chatWords(long.max_tokens))) : [];
  const statuses: number[] = [];
  const begun = open.map(async (chat) => {
    const status = await chat.begun;
    report.answer({ status });
    statuses.push(status);
  });
  await Promise.all([wait(settleMs), Promise.race([Promise.all(begun), wait(patienceMs)])]);

  const early = (kind: Answer['kind']) => ended.some((answer) => answer.kind === kind);
  const isEarly = () => early('admitted') || open.some((chat) => chat.isOver());
  const isRefused = () => early('refused') || statuses.includes(429);
  if (isEarly()) report.find('answers-too-short');
  let beyond: FindingName | undefined;
  let isTooLate = false;
  if (ended.length === 0 && statuses.every((status) => status === 200)) {
    beyond = await tryBeyond();
    const [left, ...others] = open;
    if (beyond === undefined && left !== undefined) {
      open = others;
      left.leave();
      const released = await isAdmittedSoon('socket-slot-not-released');
      // It may have had the place of another.
      if (released && isEarly()) report.find('answers-too-short');
    }
    await Promise.race(held);
    if (!early('refused')) await isAdmittedSoon('slot-not-released');
  }
  await Promise.all(held);
  for (const chat of open) chat.leave();
  await Promise.all(begun);
  const admitted =
    [...ended.map(({ status }) => status), ...statuses].filter((status) => status === 200).length + (beyond ? 1 : 0);
  if (beyond !== undefined && admitted > limit && !isTooLate) report.find(beyond);
  // One that was on its way for long may have lost its place to the next.
  if (isRefused()) report.find(admitted < limit ? 'admitted-less' : 'overtaken');

  /** Asks for one more, over REST and then over a socket. @returns what is wrong where it is admitted */
  async function tryBeyond(): Promise<FindingName | undefined> {
    const overRest = overSockets > 0 ? 'admitted-beside-sockets' : 'admitted-more';
    const ways: (readonly [FindingName, () => Promise<Pick<Answer, 'status'>>])[] = [
      [overRest, () => target.chat('concurrency', short)],
      ...(sockets ? [['admitted-over-socket', () => sockets.chat(chatWords(1))] as const] : []),
    ];
    for (const [finding, ask] of ways) {
      const { status } = await ask();
      report.answer({ status });
      if (status !== 200) continue;
      await wait(againMs);
      const again = (await ask()).status;
      // Only while all the others are under way is there no place.
      isTooLate = isEarly();
      if (isTooLate) report.find('answers-too-short');
      if (again === 200) return finding;
      report.find('overtaken');
    }
    return undefined;
  }

  /** A place may be left a moment after its answer has ended. @param finding where it is not */
  async function isAdmittedSoon(finding: FindingName, members: object = short): Promise<boolean> {
    const deadline = Date.now() + graceMs;
    for (;;) {
      const since = Date.now();
      const answer = await target.chat('concurrency', members);
      if (answer.kind !== 'refused' || since > deadline) {
        report.answer(answer);
        // Such a refusal is for want of requests.
        if (answer.kind === 'refused') report.find(limitState(answer).remaining === 0 ? 'too-few-requests' : finding);
        return answer.kind !== 'refused';
      }
      await wait(250);
    }
  }
};

/**
 * Whether the limit on requests at the same time holds. k6 gives an answer only once it is whole, so that an answer is
 * under way while its promise is pending; over a socket it shows that it has begun.
 */
export const { options, setup, check, handleSummary } = tierScript({ concurrency }, '1h');
