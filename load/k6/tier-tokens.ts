import { chatBody, chatWords } from '../tier/chat-words.ts';
import { type Purse, spendDay } from '../tier/tokens.ts';
import { settings } from './settings.ts';
import { type Check, tierScript } from './tier.ts';
import { type TierTarget, wait } from './tier-target.ts';

/** Uses up the tokens of a day to the last one, some of them over a socket, as the embedded engine does. */
const tokens: Check = async ({ profile: { limits }, target, found }, report) => {
  const limit = limits.tokensPerDay;
  if (limit === undefined) return report.find('no-limit-known');
  if (target.lacksSockets) report.find('no-sockets');
  const { secondKey, isKeyFresh } = settings;
  let admitted = 0;
  const all = await spendDay({
    limit,
    first: purseOf(target, { spent: found?.answer.tokens ?? 0, hasSockets: true }),
    second: secondKey === undefined ? undefined : purseOf(target, { key: secondKey }),
    isFresh: isKeyFresh,
    isSocketUsageKnown: found?.answer.status !== 200 || found.answer.tokens !== undefined,
    windowSeconds: limits.windowSeconds ?? 60,
    pause: wait,
    count(status) {
      if (status === 200) admitted += 1;
      report.expect(limit, admitted);
      report.answer({ status });
    },
  });
  for (const { name } of all) report.find(name);
};

interface Means {
  /** Other than the run's. */
  readonly key?: string;
  /** Tokens that were spent before. */
  readonly spent?: number;
  readonly hasSockets?: boolean;
}

function purseOf(target: TierTarget, { key, spent = 0, hasSockets = false }: Means): Purse {
  const { sockets, wording } = target;
  let sum = spent;
  return {
    spentTokens: () => sum,
    async chat(maxTokens, members) {
      const answer = await target.ask('tokens', { ...chatBody(wording, maxTokens), ...members }, key);
      sum += answer.tokens ?? 0;
      return answer;
    },
    ...(hasSockets &&
      sockets && {
        async chatOverSocket(maxTokens) {
          const answer = await sockets.chat(chatWords(maxTokens));
          sum += answer.tokens ?? 0;
          return answer.status;
        },
      }),
  };
}

/** Whether the limit on tokens a day holds, which spends them: give keys that have used none today. */
export const { options, setup, check, handleSummary } = tierScript({ tokens }, '12h');
