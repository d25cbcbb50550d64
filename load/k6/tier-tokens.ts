import { limitState } from '../tier/limit-state.ts';
import { settings } from './settings.ts';
import { type Check, tierScript } from './tier.ts';
import { freshWindow } from './tier-target.ts';

const large = { max_tokens: 1000, messages: [{ role: 'user', content: 'Count from one to a thousand in words.' }] };

/** Uses up the tokens of a day: the first request after the sum has reached the limit is refused, and none before. */
const tokens: Check = async ({ limits }, target, report) => {
  const limit = limits.tokensPerDay;
  if (limit === undefined) return report.find('no-limit-known');
  const windowSeconds = limits.windowSeconds ?? 60;
  let requestsLeft = (await freshWindow(windowSeconds))?.remaining ?? 0;
  let sum = 0;
  let within = 0;
  for (;;) {
    // A refusal must not be one for the requests of the minute.
    if (requestsLeft < 2) requestsLeft = (await freshWindow(windowSeconds))?.remaining ?? limit;
    const isWithin = sum < limit;
    const answer = await target.chat('tokens', large);
    requestsLeft = Math.min(requestsLeft - 1, limitState(answer).remaining ?? Infinity);
    if (isWithin) within += 1;
    report.expect(limit, within);
    report.answer(answer);
    if (answer.kind === 'other') return report.find('other-answers');
    if (answer.kind === 'refused') {
      if (isWithin) report.find(settings.isKeyFresh ? 'refused-early' : 'key-not-fresh');
      return;
    }
    if (!isWithin) return report.find('admitted-more');
    if (answer.tokens === undefined) return report.find('no-usage');
    sum += answer.tokens;
  }
};

/** Whether the limit on tokens a day holds, which spends them: give a key that has used none today. */
export const { options, setup, check, handleSummary } = tierScript({ tokens }, '12h');
