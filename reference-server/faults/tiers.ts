import type { Exchange } from '../admission.ts';
import { ApiError, rateLimited } from '../api-error.ts';
import type { Behaviour } from '../behaviour.ts';
import { asked, inHeaders } from '../change.ts';
import { allowance, allowanceHeaders } from '../limits/allowance.ts';
import { onSockets } from '../websocket/change-socket.ts';
import { deciding } from './checks.ts';
import type { Faults } from './fault.ts';

/** Counts and enforces the limit on requests in another way, and reports it truthfully. */
const countingAs = (count: (exchange: Exchange) => { readonly limit: number; readonly taken: number }): Behaviour => {
  const stateOf = (exchange: Exchange) => {
    const { limit, taken } = count(exchange);
    return { over: taken > limit, state: allowance(limit, taken, exchange.allowance.reset) };
  };
  return {
    decide(refusal, step, exchange) {
      if (step !== 'limits' || !exchange.authenticated) return refusal;
      const { over, state } = stateOf(exchange);
      return over ? rateLimited('the limit is reached', state.reset - exchange.at / 1000) : undefined;
    },
    ...inHeaders(
      (exchange) => allowanceHeaders(stateOf(exchange).state),
      ({ authenticated }) => authenticated,
    ),
  };
};

const busy = rateLimited('too many requests run at the same time', 1);
const isRefused = (_: Exchange, refusal: ApiError | undefined) => refusal !== undefined;

export const tierFaults = {
  'counted-twice': {
    description: 'every request counts as two',
    trips: ['limits.headers.by-one', 'limits.requests.admitted'],
    behaviour: countingAs(({ allowance: { limit }, requests }) => ({ limit, taken: 2 * requests })),
  },
  'limit-of-no-tier': {
    description: 'a Free key may send 120 requests a minute',
    trips: ['limits.tier.number'],
    behaviour: countingAs(({ requests }) => ({ limit: 120, taken: requests })),
  },
  'window-endless': {
    description: 'a limit that was passed never opens again',
    trips: ['limits.requests.reopened'],
    behaviour: { windows: 'endless' },
  },
  'third-chat-refused': {
    description: 'the third request of a window is refused where it is a short chat',
    trips: ['limits.requests.paced'],
    behaviour: deciding('body', (exchange) => exchange.requests === 3 && asked(exchange).max_tokens === 1, busy),
  },
  'places-unlimited': {
    description: 'any number of chats may run at the same time',
    trips: ['limits.concurrent.refused', 'limits.shared.concurrent'],
    behaviour: {
      ...deciding('place', isRefused),
      ...onSockets({ decide: (refusal, step) => (step === 'place' ? undefined : refusal) }),
    },
  },
  'place-refused-as-unavailable': {
    description: 'a chat more than may run at the same time is refused with 503',
    trips: ['limits.concurrent.refused'],
    behaviour: deciding('place', isRefused, new ApiError('service_unavailable', 'the server is busy')),
  },
  'one-place-fewer': {
    description: 'one chat fewer may run at the same time than the tier allows',
    trips: ['limits.concurrent.admitted'],
    behaviour: deciding('place', ({ running, account }) => running >= account.limits.concurrent, busy),
  },
  'places-of-streams-kept': {
    description: 'a stream keeps its place when it has ended',
    trips: ['limits.concurrent.freed'],
    behaviour: {
      place: (place, exchange) => (asked(exchange).stream === true ? { ...place, release: async () => {} } : place),
    },
  },
  'places-kept': {
    description: 'a stream of 150 or 300 tokens keeps its place when it has ended',
    trips: ['limits.concurrent.freed'],
    behaviour: {
      place: (place, exchange) => {
        const { stream, max_tokens } = asked(exchange);
        return stream === true && (max_tokens === 150 || max_tokens === 300)
          ? { ...place, release: async () => {} }
          : place;
      },
    },
  },
  'tokens-unlimited': {
    description: 'the limit on tokens a day is not enforced',
    trips: ['limits.tokens.refused'],
    behaviour: deciding('tokens', isRefused),
  },
  'tokens-refused-as-malformed': {
    description: 'a chat of a key without tokens left is refused with 400',
    trips: ['limits.tokens.refused'],
    behaviour: deciding('tokens', isRefused, new ApiError('invalid_request', 'no tokens are left today')),
  },
  'tokens-misnamed': {
    description: 'the refusal of a key without tokens left carries the identifier of a disabled account',
    trips: ['limits.tokens.identifier', 'errors.identifier'],
    behaviour: deciding(
      'tokens',
      isRefused,
      new ApiError('account_disabled', 'no tokens are left today', { status: 429 }),
    ),
  },
} as const satisfies Faults;
