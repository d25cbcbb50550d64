import type { Behaviour } from '../behaviour.ts';
import { changed, inHeaders } from '../change.ts';
import { allowance, allowanceHeaders } from '../limits/allowance.ts';
import type { Dialects } from './dialect.ts';

const resetLater = (seconds: number): Behaviour =>
  inHeaders((_, { headers }) => ({ 'X-RateLimit-Reset': String(Number(headers['X-RateLimit-Reset']) + seconds) }));

export const limitDialects = {
  'window-aligned': {
    description: 'a window ends with the minute of the clock',
    behaviour: { windows: 'aligned' },
  },
  'window-sliding': {
    description: 'a request counts until a minute later',
    behaviour: { windows: 'sliding' },
  },
  'window-bucket': {
    description: 'requests come back one by one, all of the limit in a minute',
    behaviour: { windows: 'bucket' },
  },
  'reset-rounded-down': {
    description: 'X-RateLimit-Reset lies up to a second before the end of the window',
    behaviour: resetLater(-1),
  },
  'reset-rounded-up': {
    description: 'X-RateLimit-Reset lies up to a second after the end of the window',
    behaviour: resetLater(1),
  },
  'refusal-tells-its-own-limit': {
    description: 'a 429 for another limit than that on requests tells of that limit in the X-RateLimit headers',
    behaviour: inHeaders(
      ({ account, at }) => allowanceHeaders(allowance(account.limits.concurrent, 5, Math.ceil(at / 1000) + 1)),
      ({ overLimit }, { status }) => status === 429 && overLimit === undefined,
    ),
  },
  'refusals-alike': {
    description: 'every 429 says the same few words, whatever limit it is for',
    behaviour: {
      answer: (answer) =>
        answer.status === 429
          ? { ...answer, body: changed(answer.body, '/error/message', 'Too Many Requests') }
          : answer,
    },
  },
  'tokens-in-headers': {
    description: 'every response says how many tokens of the day are left, in headers of its own',
    behaviour: inHeaders(({ account }) => ({
      'X-RateLimit-Limit-Tokens': String(account.limits.tokensPerDay),
      'X-RateLimit-Remaining-Tokens': String(account.limits.tokensPerDay / 2),
    })),
  },
  'chats-queued': {
    description: 'a chat more than may run at the same time waits until another ends',
    behaviour: { queue: true },
  },
} as const satisfies Dialects;
