import type { Exchange } from '../admission.ts';
import { ApiError, rateLimited } from '../api-error.ts';
import type { Answer, Behaviour } from '../behaviour.ts';
import { inHeaders } from '../change.ts';
import type { Faults } from './fault.ts';

type When = (exchange: Exchange, answer: Answer) => boolean;

const authenticated: When = ({ authenticated: known }) => known;
const onErrors: When = ({ authenticated: known }, { kind }) => known && kind === 'error';
const onStreams: When = ({ authenticated: known }, { kind }) => known && kind === 'stream';
const onUnauthorized: When = (_, { status }) => status === 401;
const onRefusal: When = (_, { status }) => status === 429;

/** Gives a header of X-RateLimit another value, or leaves it out. */
const header = (
  name: 'Limit' | 'Remaining' | 'Used' | 'Reset',
  value: (exchange: Exchange) => number | string | undefined,
  when: When = authenticated,
): Behaviour =>
  inHeaders((exchange) => {
    const given = value(exchange);
    return { [`X-RateLimit-${name}`]: given === undefined ? undefined : String(given) };
  }, when);

const none = () => undefined;

/** Decides whether a request is refused for its limit by another rule. */
const admitting = (refuses: (exchange: Exchange) => boolean): Behaviour => ({
  decide(refusal, step, exchange) {
    if (step !== 'limits' || !exchange.authenticated) return refusal;
    const { allowance, at } = exchange;
    return refuses(exchange)
      ? rateLimited('the limit is reached', allowance.reset - at / 1000, {
          ...allowance,
          used: allowance.limit,
          remaining: 0,
        })
      : undefined;
  },
});

const refusedWith = (error: ApiError): Behaviour => ({
  decide: (refusal, step) => (step === 'limits' && refusal !== undefined ? error : refusal),
});

export const limitFaults = {
  'limit-missing': {
    description: 'no response has X-RateLimit-Limit',
    trips: ['limits.headers.limit'],
    behaviour: header('Limit', none),
  },
  'limit-missing-on-streams': {
    description: 'streams have no X-RateLimit-Limit',
    trips: ['limits.headers.limit'],
    behaviour: header('Limit', none, onStreams),
  },
  'limit-in-words': {
    description: 'X-RateLimit-Limit is "100/min"',
    trips: ['limits.headers.limit'],
    behaviour: header('Limit', ({ allowance }) => `${allowance.limit}/min`),
  },
  'remaining-missing': {
    description: 'no response has X-RateLimit-Remaining',
    trips: ['limits.headers.remaining'],
    behaviour: header('Remaining', none),
  },
  'remaining-missing-on-errors': {
    description: 'errors have no X-RateLimit-Remaining',
    trips: ['limits.headers.remaining'],
    behaviour: header('Remaining', none, onErrors),
  },
  'remaining-fraction': {
    description: 'X-RateLimit-Remaining has a fraction on streams',
    trips: ['limits.headers.remaining'],
    behaviour: header('Remaining', ({ allowance }) => `${allowance.remaining}.0`, onStreams),
  },
  'remaining-above-limit': {
    description: 'X-RateLimit-Remaining of streams is above the limit',
    trips: ['limits.headers.remaining', 'limits.headers.add-up'],
    behaviour: header('Remaining', ({ allowance }) => allowance.limit + allowance.remaining, onStreams),
  },
  'used-missing': {
    description: 'no response has X-RateLimit-Used',
    trips: ['limits.headers.used'],
    behaviour: header('Used', none),
  },
  'used-missing-on-errors': {
    description: 'errors have no X-RateLimit-Used',
    trips: ['limits.headers.used'],
    behaviour: header('Used', none, onErrors),
  },
  'used-negative': {
    description: 'X-RateLimit-Used is negative',
    trips: ['limits.headers.used'],
    behaviour: header('Used', ({ allowance }) => -allowance.used),
  },
  'reset-missing': {
    description: 'no response has X-RateLimit-Reset',
    trips: ['limits.headers.reset'],
    behaviour: header('Reset', none),
  },
  'reset-in-milliseconds': {
    description: 'X-RateLimit-Reset is in milliseconds',
    trips: ['limits.headers.reset'],
    behaviour: header('Reset', ({ allowance }) => allowance.reset * 1000),
  },
  'reset-in-seconds-from-now': {
    description: 'X-RateLimit-Reset counts the seconds that are left',
    trips: ['limits.headers.reset'],
    behaviour: header('Reset', () => 60),
  },
  'reset-in-an-hour': {
    description: 'X-RateLimit-Reset of errors lies an hour ahead',
    trips: ['limits.headers.reset'],
    behaviour: header('Reset', ({ allowance }) => allowance.reset + 3600, onErrors),
  },
  'reset-date': {
    description: 'X-RateLimit-Reset is a date in words',
    trips: ['limits.headers.reset'],
    behaviour: header('Reset', ({ allowance }) => new Date(allowance.reset * 1000).toISOString()),
  },
  'used-off-by-one': {
    description: 'X-RateLimit-Used leaves the request itself out',
    trips: ['limits.headers.add-up'],
    behaviour: header('Used', ({ allowance }) => allowance.used - 1),
  },
  'used-always-zero': {
    description: 'X-RateLimit-Used is always 0',
    trips: ['limits.headers.add-up'],
    behaviour: header('Used', () => 0),
  },
  'unauthorized-without-limits': {
    description: 'a 401 has no X-RateLimit headers',
    trips: ['limits.headers.on-unauthorized'],
    behaviour: inHeaders(
      () => ({
        'X-RateLimit-Limit': undefined,
        'X-RateLimit-Remaining': undefined,
        'X-RateLimit-Used': undefined,
        'X-RateLimit-Reset': undefined,
      }),
      onUnauthorized,
    ),
  },
  'unauthorized-without-reset': {
    description: 'a 401 has no X-RateLimit-Reset',
    trips: ['limits.headers.on-unauthorized'],
    behaviour: header('Reset', none, onUnauthorized),
  },
  'headers-constant': {
    description: 'the X-RateLimit headers never move until the limit is reached',
    trips: ['limits.headers.move', 'limits.requests.admitted'],
    behaviour: inHeaders(
      ({ allowance }) => ({ 'X-RateLimit-Remaining': String(allowance.limit - 5), 'X-RateLimit-Used': '5' }),
      ({ authenticated: known, allowance }, { status }) => known && allowance.remaining > 0 && status !== 429,
    ),
  },
  'refused-too-early': {
    description: 'the last three requests of a window are refused',
    trips: ['limits.requests.admitted'],
    behaviour: admitting(({ requests, allowance }) => requests > allowance.limit - 3),
  },
  'refused-too-late': {
    description: 'a window admits three requests more than the limit',
    trips: ['limits.requests.refused'],
    behaviour: admitting(({ requests, allowance }) => requests > allowance.limit + 3),
  },
  'refused-one-too-late': {
    description: 'a window admits one request more than the limit',
    trips: ['limits.requests.refused'],
    behaviour: admitting(({ requests, allowance }) => requests > allowance.limit + 1),
  },
  'never-refused': {
    description: 'the limit on requests is not enforced',
    trips: ['limits.requests.refused'],
    behaviour: admitting(() => false),
  },
  'refusal-with-remaining': {
    description: 'a 429 says that a request remains',
    trips: ['limits.requests.exhausted'],
    behaviour: inHeaders(
      ({ allowance }) => ({ 'X-RateLimit-Remaining': '1', 'X-RateLimit-Used': String(allowance.limit - 1) }),
      onRefusal,
    ),
  },
  'refused-as-unavailable': {
    description: 'a request over the limit is refused with 503',
    trips: ['errors.rate-limit.status'],
    behaviour: refusedWith(new ApiError('service_unavailable', 'the server is busy')),
  },
  'refused-as-malformed': {
    description: 'a request over the limit is refused with 400',
    trips: ['errors.rate-limit.status'],
    behaviour: refusedWith(new ApiError('invalid_request', 'there were too many requests')),
  },
  'retry-after-missing': {
    description: 'a 429 has no Retry-After',
    trips: ['errors.rate-limit.retry-after'],
    behaviour: inHeaders(() => ({ 'Retry-After': undefined }), onRefusal),
  },
  'retry-after-beyond-reset': {
    description: 'Retry-After of a 429 reaches half a minute beyond X-RateLimit-Reset',
    trips: ['limits.retry-after.reset'],
    behaviour: inHeaders(
      ({ allowance, at }) => ({ 'Retry-After': String(Math.ceil(allowance.reset - at / 1000) + 30) }),
      onRefusal,
    ),
  },
  'retry-after-in-words': {
    description: 'Retry-After of a 429 is "soon"',
    trips: ['errors.rate-limit.retry-after'],
    behaviour: inHeaders(() => ({ 'Retry-After': 'soon' }), onRefusal),
  },
} as const satisfies Faults;
