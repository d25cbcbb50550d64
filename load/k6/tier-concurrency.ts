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

/** As many long answers as may run; the next request is refused; once one answer has ended, the next is admitted. */
const concurrency: Check = async ({ limits }, target, report) => {
  const limit = limits.concurrent;
  if (limit === undefined) return report.find('no-limit-known');
  await freshWindow(limits.windowSeconds ?? 60);
  report.expect(limit, limit + 1);
  const ended: Answer[] = [];
  const held = Array.from({ length: limit }, async () => {
    const answer = await target.chat('concurrency', long);
    report.answer(answer);
    ended.push(answer);
  });
  await wait(settleMs);
  const early = (kind: Answer['kind']) => ended.some((answer) => answer.kind === kind);
  if (early('admitted')) report.find('answers-too-short');
  let [isNextAdmitted, isTooLate] = [false, false];
  if (ended.length === 0) {
    const next = await target.chat('concurrency', short);
    report.answer(next);
    if (next.kind === 'other') report.find('other-answers');
    isNextAdmitted = next.kind === 'admitted';
    // Only while all the others are under way is there no place.
    isTooLate = isNextAdmitted && early('admitted');
    if (isTooLate) report.find('answers-too-short');
    await Promise.race(held);
    if (!early('refused') && !(await isAdmittedSoon())) report.find('slot-not-released');
  }
  await Promise.all(held);
  if (early('other')) report.find('other-answers');
  const admitted = ended.filter(({ kind }) => kind === 'admitted').length + (isNextAdmitted ? 1 : 0);
  if (admitted > limit && !isTooLate) report.find('admitted-more');
  // One that was on its way for long may have lost its place to the next.
  if (early('refused')) report.find(admitted < limit ? 'admitted-less' : 'overtaken');

  /** A place may be left a moment after its answer has ended. */
  async function isAdmittedSoon(): Promise<boolean> {
    const deadline = Date.now() + graceMs;
    for (;;) {
      const begun = Date.now();
      const answer = await target.chat('concurrency', short);
      if (answer.kind !== 'refused' || begun > deadline) {
        report.answer(answer);
        return answer.kind !== 'refused';
      }
      await wait(250);
    }
  }
};

/**
 * Whether the limit on requests at the same time holds. k6 gives an answer only once it is whole, so that an answer is
 * under way while its promise is pending.
 */
export const { options, setup, check, handleSummary } = tierScript({ concurrency }, '1h');
