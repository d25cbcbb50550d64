import { type Check, tierScript } from './tier.ts';
import { type Answer, freshWindow, inParallel, type LimitHeaders, wait } from './tier-target.ts';

const defaultWindowSeconds = 60;

/** Few enough at a time that the limit on concurrency, which a place left late may hit, plays no part. */
function atATime(concurrent = 2): number {
  return Math.min(20, Math.max(1, Math.floor(concurrent / 2)));
}

/** More at once than a window allows: exactly the limit is admitted, and one more only after the reset. */
const burst: Check = async ({ limits }, target, report) => {
  const windowSeconds = limits.windowSeconds ?? defaultWindowSeconds;
  const window = await freshWindow(windowSeconds);
  const limit = limits.requestsPerMinute ?? window?.limit;
  if (limit === undefined) return report.find('no-limit-known');
  const used = window?.used ?? 0;
  if (used > 1) report.find('key-in-use');
  const expected = limit - used;
  report.expect(limit, expected + 1);
  const begun = Date.now();
  const ask = async () => {
    const answer = await target.chat('burst');
    report.answer(answer);
    return answer;
  };
  const answers = await inParallel(expected + Math.max(10, Math.ceil(limit / 10)), atATime(limits.concurrent), ask);
  const windowEnd = window?.resetAt ?? begun + windowSeconds * 1000;
  // Headers give whole seconds, so that the window may end a second earlier than it seems.
  const before = Math.min(windowEnd, begun + windowSeconds * 1000) - 1500;
  if (Date.now() > before) return report.find('too-slow');
  const count = (kind: Answer['kind']) => answers.filter((answer) => answer.kind === kind).length;
  if (count('other') > 0) report.find('other-answers');
  if (count('admitted') > expected) report.find('admitted-more');
  else if (count('admitted') + count('other') < expected) report.find('admitted-less');
  compareHeaders(answers, limit, (finding) => report.find(finding));

  const spent = count('refused') > 0;
  await wait(before - Date.now());
  if ((await ask()).kind === 'admitted' && spent) report.find('admitted-before-reset');
  await wait(windowEnd + 1000 - Date.now());
  if ((await ask()).kind === 'refused') report.find('refused-after-reset');
};

type HeaderFinding = 'header-limit' | 'header-remaining' | 'header-refused';

function compareHeaders(answers: readonly Answer[], limit: number, find: (finding: HeaderFinding) => void): void {
  const headersOf = (kind: Answer['kind']): LimitHeaders[] =>
    answers.flatMap((answer) => (answer.kind === kind && answer.headers ? [answer.headers] : []));
  const admitted = headersOf('admitted');
  const refused = headersOf('refused');
  if ([...admitted, ...refused].some((headers) => headers.limit !== limit)) find('header-limit');
  if (refused.length > 0 && admitted.length > 0 && Math.min(...admitted.map(({ remaining }) => remaining)) !== 0) {
    find('header-remaining');
  }
  if (refused.some(({ remaining }) => remaining > 0)) find('header-refused');
}

/** A window's requests evenly over its length: none is refused. */
const paced: Check = async ({ limits }, target, report) => {
  const windowSeconds = limits.windowSeconds ?? defaultWindowSeconds;
  const window = await freshWindow(windowSeconds);
  const limit = limits.requestsPerMinute ?? window?.limit;
  if (limit === undefined) return report.find('no-limit-known');
  const used = window?.used ?? 0;
  if (used > 1) report.find('key-in-use');
  const expected = limit - used;
  report.expect(limit, expected);
  const most = atATime(limits.concurrent);
  const begun = Date.now();
  const underWay = new Set<Promise<void>>();
  let refused = 0;
  for (let index = 0; index < expected; index += 1) {
    await wait(begun + (index * windowSeconds * 1000) / limit - Date.now());
    if (underWay.size >= most) {
      report.find('too-slow');
      break;
    }
    const asked = target.chat('paced').then((answer) => {
      report.answer(answer);
      if (answer.kind === 'refused') refused += 1;
      if (answer.kind === 'other') report.find('other-answers');
      underWay.delete(asked);
    });
    underWay.add(asked);
  }
  await Promise.all(underWay);
  if (refused > 0) report.find('refused-while-paced');
};

/** Whether the limit on requests a minute holds: a burst, a pair across the reset, and an even pace. */
export const { options, setup, check, handleSummary } = tierScript({ burst, paced }, '1h');
