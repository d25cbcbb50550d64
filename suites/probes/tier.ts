import type { Tier } from '../../specs/evidence.ts';
import { expectArrived, expectEqual, NotApplicable, need } from '../expect.ts';
import { limitHeader } from '../limit-headers.ts';
import { defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { expectIdentifier } from './error-identifiers.ts';
import { needExhaustedKey, needKeyKnown } from './prerequisites.ts';
import { isForTokens as tellsTokens } from './refusal.ts';

/** What the document says of a tier; the limits of Enterprise are custom. */
export const tierLimits: Readonly<Partial<Record<Tier, { readonly requests: number; readonly concurrent: number }>>> = {
  free: { requests: 100, concurrent: 5 },
  pro: { requests: 1000, concurrent: 20 },
};

export const tierNumber = defineProbe({
  name: 'the limit that the first chat tells',
  cost: { requests: 0, tokens: 0 },
  act: async (target) => target.baseline.chat,
  judge: {
    'limits.tier.number': (reply, { options: { tier } }) => {
      need(tier !== undefined, 'needs the tier of the key: give --tier free, pro or enterprise');
      const limits = tierLimits[tier];
      if (!limits) throw new NotApplicable('the limits of Enterprise are custom: any number may be right');
      const limit = limitHeader(reply, 'limit');
      need(limit !== undefined, 'the chat has no X-RateLimit-Limit');
      return expectEqual(reply, 'X-RateLimit-Limit', limit, limits.requests);
    },
  },
});

interface Exhausted {
  readonly list: Reply;
  readonly chat: Reply;
}

export const exhaustedKey = defineProbe<Exhausted>({
  name: 'a chat with a key whose tokens of the day are used up',
  cost: { requests: 3, tokens: 60 },
  async act(target) {
    needExhaustedKey(target);
    const list = await target.send('GET', '/models', undefined, { credential: 'exhausted' });
    return { list, chat: await target.chat({}, { credential: 'exhausted', unpaced: true }) };
  },
  judge: {
    'limits.tokens.refused': ({ list, chat }) => {
      expectArrived(chat);
      const { status } = chat;
      needKeyKnown(chat);
      need(status !== 429 || isForTokens(list, chat), 'the 429 may be for its requests; try again in a minute');
      return expectEqual(chat, 'status', status, 429);
    },
    'limits.tokens.identifier': ({ chat }) => expectIdentifier(chat, 429, 'rate_limit_exceeded'),
  },
});

/** Whether a 429 cannot be for the requests of a minute: one that takes no tokens passes, some remain, or it says so. */
function isForTokens(list: Reply, chat: Reply): boolean {
  return list.status === 200 || (limitHeader(chat, 'remaining') ?? 0) > 0 || tellsTokens(chat);
}
