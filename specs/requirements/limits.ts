import type { RequirementTable } from '../requirement.ts';

const header = { level: 'MUST', profile: 'limits', source: 'rate-limits/rate-limit-headers' } as const;
const tier = { level: 'MUST', profile: 'limits', source: 'rate-limits/tier-limits', need: 'spends-limits' } as const;
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
      'one window is a run of responses with the same X-RateLimit-Reset; the shape of windows is not stated, so what a bucket refills in the meantime is allowed, and where Reset moves only headers that never change are a breach',
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
  'limits.tier.number': {
    ...tier,
    statement: 'the limit of a Free key is 100 requests a minute, that of a Pro key 1,000',
    unobservable: 'nothing in a response names the tier of a key, and any number may be a custom Enterprise limit',
  },
} as const satisfies RequirementTable;
