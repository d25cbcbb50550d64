import type { TierCheck } from '../../specs/wire.ts';
import type { Contact } from '../target.ts';
import { chatBody } from './chat-words.ts';
import { partsOf } from './findings.ts';
import { pause, socketChat, type TierKey } from './tier-key.ts';
import { type Purse, spendDay } from './tokens.ts';
import { countStatuses, decided, undecided } from './verdict.ts';

/** Whether the limit on tokens a day holds to a token, over REST and sockets together. */
export async function checkTokens(key: TierKey, limit: number | undefined): Promise<TierCheck> {
  if (limit === undefined) {
    return undecided('tokens', 'no limit is stated: give limits.tokensPerDay in a profile of your own');
  }
  const statuses: number[] = [];
  const found = await spendDay({
    limit,
    first: { ...purseOf(key, key.contact), ...(key.sockets && { chatOverSocket: (most) => socketChat(key, most) }) },
    second: key.second && purseOf(key, key.second),
    isFresh: key.isFresh ?? false,
    isSocketUsageKnown: key.isSocketUsageKnown ?? true,
    windowSeconds: key.windowSeconds,
    pause: (ms, why) => pause(key, ms, why),
    count: (status) => statuses.push(status),
  });
  const counted = countStatuses(statuses);
  const { broken, open } = partsOf(found);
  const restOnly = key.noSockets === undefined ? [] : [`only REST was spent: ${key.noSockets}`];
  return decided('tokens', { limit, expected: counted.admitted }, counted, broken, [...open, ...restOnly]);
}

function purseOf({ wording }: TierKey, contact: Contact): Purse {
  return {
    spentTokens: () => contact.spentTokens,
    chat: (maxTokens, members) =>
      contact.ask('POST', '/chat/completions', { ...chatBody(wording, maxTokens), ...members }),
  };
}
