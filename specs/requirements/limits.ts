import type { RequirementTable } from '../requirement.ts';

const header = { level: 'MUST', profile: 'limits', source: 'rate-limits/rate-limit-headers' } as const;
const tier = { level: 'MUST', profile: 'limits', source: 'rate-limits/tier-limits', need: 'spends-limits' } as const;
const ofTier = { ...tier, need: 'tier' } as const;
/** Seen by streams, whose beginning and end show which of them ran together. */
const together = { ...ofTier, capability: 'streaming' } as const;
const shared = { ...ofTier, capability: 'websocket' } as const;
const oneCustomer =
  'the table gives each tier one number for the limit, and a column that says that WebSocket belongs to it';
const everyAuthenticated =
  'said of every response; judged on those to a valid key, streams and errors included, since a request without a tier has no limits to report';

export const limitRequirements = {
  'limits.headers.limit': {
    ...header,
    statement: 'every authenticated response has X-RateLimit-Limit, an integer of at least 1',
    reading: everyAuthenticated,
  },
  'limits.headers.remaining': {
    ...header,
    statement: 'every authenticated response has X-RateLimit-Remaining, an integer from 0 to the limit',
    reading: everyAuthenticated,
  },
  'limits.headers.used': {
    ...header,
    statement: 'every authenticated response has X-RateLimit-Used, an integer of at least 0',
    reading: everyAuthenticated,
  },
  'limits.headers.reset': {
    ...header,
    statement:
      'every authenticated response has X-RateLimit-Reset, whole Unix seconds that lie within the next 60 seconds',
    reading: `${everyAuthenticated}; the window is a minute (requests/min), and clocks may differ by 5 seconds`,
  },
  'limits.headers.add-up': {
    ...header,
    level: 'SHOULD',
    statement: 'remaining is what used leaves of the limit, and never less than 0',
    reading: 'the example adds up (95 + 5 = 100); no sentence says so',
  },
  'limits.headers.on-unauthorized': {
    ...header,
    profile: 'core',
    level: 'SHOULD',
    statement: 'a 401 has the four X-RateLimit headers too',
    reading: 'said of every response, yet an unknown key has no tier and so no limit of its own',
  },
  'limits.headers.move': {
    ...header,
    statement: 'of requests that follow each other in one window, each leaves a lower X-RateLimit-Remaining',
    reading:
      'one window is a run of responses with the same X-RateLimit-Reset; the shape of windows is not stated, so what a bucket refills in the meantime is allowed, and where Reset moves only headers that never change are a breach; a 101 that opens a socket may leave it as it was',
  },
  'limits.headers.by-one': {
    ...header,
    need: 'spends-limits',
    statement: 'a request takes one from X-RateLimit-Remaining, not more',
    reading:
      'the limit is one on requests; others may use the key at the same time, so a breach is that no request takes just one',
  },
  'limits.requests.admitted': {
    ...tier,
    statement: 'no request is refused with 429 while X-RateLimit-Remaining is above 0',
  },
  'limits.requests.refused': {
    ...tier,
    statement: 'a window admits no more requests than X-RateLimit-Limit says',
  },
  'limits.requests.exhausted': {
    ...tier,
    statement: 'a 429 reports X-RateLimit-Remaining 0',
    source: 'rate-limits/rate-limit-headers',
  },
  'limits.requests.reopened': {
    ...tier,
    statement: 'once the time in X-RateLimit-Reset has passed, a key that was refused is admitted again',
    source: 'rate-limits/rate-limit-headers',
    reading: 'the shape of windows is not stated: after Reset at least one request is admitted, whatever the shape',
  },
  'limits.requests.paced': {
    ...tier,
    statement: 'after that, requests no closer to each other than a minute divided by the limit are admitted',
    reading: 'whatever the shape of windows, so spaced requests never pass the limit of any minute',
  },
  'limits.retry-after.reset': {
    ...tier,
    level: 'SHOULD',
    statement: 'Retry-After of a 429 does not reach beyond X-RateLimit-Reset',
    source: 'rate-limits/handling-rate-limits',
    reading:
      'not documented; a client that obeys the longer of two times waits in vain. Rounding may differ by 2 seconds',
  },
  'limits.tier.number': {
    ...ofTier,
    statement: 'the limit of a Free key is 100 requests a minute, that of a Pro key 1,000',
    reading: 'nothing in a response names the tier, so it is given; limits of Enterprise are whatever the headers say',
  },
  'limits.concurrent.admitted': {
    ...together,
    statement: 'as many requests as the tier runs at the same time are admitted together',
  },
  'limits.concurrent.refused': {
    ...together,
    statement: 'no more requests run at the same time than the tier allows; one more is refused with 429, or waits',
    reading:
      'what becomes of one more is not stated: the table of errors has 429 for too many requests, and a queue keeps the limit too',
  },
  'limits.concurrent.freed': {
    ...together,
    statement: 'when one of as many requests as the tier runs at the same time ends, another is admitted',
  },
  'limits.shared.requests': {
    ...shared,
    level: 'SHOULD',
    need: 'more-requests',
    statement: 'every start over a socket takes from the X-RateLimit-Remaining that chats in bodies tell',
    reading: `${oneCustomer}, and start begins a session there as a chat does here; whether the socket itself counts is open. What comes back meanwhile is allowed, and a start may take more than one`,
  },
  'limits.shared.concurrent': {
    ...shared,
    level: 'SHOULD',
    capability: ['websocket', 'streaming'],
    statement: 'streams and generations over sockets together are no more than the tier runs at the same time',
    reading: `${oneCustomer}; one more is refused, with 429 or an error message, or waits. Judged where streams show it`,
  },
  'limits.shared.freed': {
    ...shared,
    level: 'SHOULD',
    statement:
      'when the clients of as many socket generations as the tier runs at a time leave, a start is answered within 2 seconds',
    reading:
      'what becomes of a generation whose client is gone is not stated; one that goes on unread takes from its customer what the tier gives. The time is that in which other places are free again',
  },
  'limits.shared.tokens': {
    ...shared,
    need: 'exhausted-key',
    statement: 'a start with a key whose tokens of the day are used up is refused',
    reading: `${oneCustomer}, and tokens are tokens: an error message, a close and a 429 to the upgrade are refusals`,
  },
  'limits.tokens.refused': {
    ...tier,
    need: 'exhausted-key',
    statement: 'a chat with a key whose tokens of the day are used up is refused with 429',
    reading: 'spending a day of tokens is no test, so a key is given for which that has happened',
  },
  'limits.tokens.identifier': {
    ...tier,
    level: 'SHOULD',
    need: 'exhausted-key',
    statement: 'that refusal carries the identifier rate_limit_exceeded in code or type',
    source: 'error-handling/codes',
    reading: 'the tables call it a code in one place and a type in another; the literal numeric form is accepted',
  },
} as const satisfies RequirementTable;
