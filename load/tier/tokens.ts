import type { TierCheck } from '../../specs/wire.ts';
import { limitState } from './limit-state.ts';
import { pause, shortChat, slackMs, type TierKey } from './tier-key.ts';
import { countStatuses, decided, undecided } from './verdict.ts';

/** Output tokens of a request that spends. */
const largest = 3_000;

/**
 * Spends a whole day's tokens, the last request so that it lands on the limit: until then everything is admitted, and
 * then nothing. Takes a key that has spent nothing today.
 */
export async function checkTokens(key: TierKey, limit: number | undefined): Promise<TierCheck> {
  if (limit === undefined)
    return undecided('tokens', 'no limit is stated: give limits.tokensPerDay in a profile of your own');
  const statuses: number[] = [];
  let prompt: number | undefined;
  for (;;) {
    const spent = key.contact.spentTokens;
    // Below what is left once the prompt is paid, and at least one.
    const maxTokens = prompt === undefined ? 1 : Math.max(1, Math.min(largest, limit - spent - prompt));
    const answer = await shortChat(key, maxTokens);
    const { remaining, resetAt } = limitState(answer);
    const isOutOfRequests =
      answer.status === 429 && spent < limit && remaining === 0 && isWindow(resetAt, key.windowSeconds);
    if (isOutOfRequests) {
      await pause(key, (resetAt ?? 0) - Date.now() + slackMs, 'as the limit of requests is spent');
      continue;
    }
    statuses.push(answer.status);
    const counted = countStatuses(statuses);
    const expected = { limit, expected: counted.admitted };
    if (answer.status === 200) {
      const usage = key.contact.spentTokens - spent;
      if (usage === 0)
        return undecided('tokens', 'answers report no usage, so that nobody knows what was spent', counted);
      prompt ??= usage - 1;
      if (spent < limit) continue;
      return decided('tokens', expected, counted, [`a request is admitted with ${spent} of ${limit} tokens spent`]);
    }
    if (answer.status !== 429) return decided('tokens', expected, counted, []);
    const worth = (prompt ?? 0) + maxTokens;
    if (spent + worth > limit) return decided('tokens', expected, counted, []);
    return undecided(
      'tokens',
      `a request of ${worth} tokens is refused with ${spent} of ${limit} spent: unless the key spent others today, the limit is lower`,
      counted,
    );
  }
}

/** Whether a reset is that of the window of requests, not of the day. */
function isWindow(resetAt: number | undefined, windowSeconds: number): boolean {
  return resetAt !== undefined && resetAt - Date.now() <= (windowSeconds + 5) * 1000;
}
