import type { Exchange } from '../admission.ts';
import { ApiError } from '../api-error.ts';
import { asked } from '../change.ts';
import { deciding } from './checks.ts';
import type { Faults } from './fault.ts';

const isChat = ({ url }: Exchange) => url === '/v1/chat/completions';
const isKeyless = ({ authorization }: Exchange) => authorization === undefined;
const isUnknown = ({ authenticated, authorization = '' }: Exchange) =>
  !authenticated && /^bearer /i.test(authorization);
const isBasic = ({ authorization = '' }: Exchange) => /^basic /i.test(authorization);
const isDisabled = ({ account }: Exchange) => account.disabled;

const refused = new ApiError('invalid_api_key', 'this key is refused');
const forbidden = new ApiError('account_disabled', 'this account is refused');

export const authFaults = {
  'valid-key-refused': {
    description: 'chats with the valid key are refused with 401',
    trips: ['auth.bearer.accepted'],
    behaviour: deciding('key', (exchange) => exchange.authenticated && isChat(exchange), refused),
  },
  'valid-key-forbidden': {
    description: 'chats with the valid key are refused with 403',
    trips: ['auth.bearer.accepted'],
    behaviour: deciding('key', (exchange) => exchange.authenticated && isChat(exchange), forbidden),
  },
  'keyless-chat-answered': {
    description: 'a chat without a key is answered',
    trips: ['auth.missing.status'],
    behaviour: deciding('key', isKeyless),
  },
  'keyless-chat-forbidden': {
    description: 'a chat without a key is refused with 403',
    trips: ['auth.missing.status'],
    behaviour: deciding('key', isKeyless, forbidden),
  },
  'keyless-chat-malformed': {
    description: 'a chat without a key is refused with 400',
    trips: ['auth.missing.status'],
    behaviour: deciding(
      'key',
      isKeyless,
      new ApiError('invalid_request', 'there is no key', { param: 'authorization' }),
    ),
  },
  'unknown-key-answered': {
    description: 'any key at all is accepted',
    trips: ['auth.invalid.status', 'stream.refused.unauthorized'],
    behaviour: deciding('key', isUnknown),
  },
  'unknown-key-answered-unless-streamed': {
    description: 'any key is accepted for an answer in one body',
    trips: ['auth.invalid.status'],
    behaviour: {
      decide(refusal, step, exchange) {
        if (!isUnknown(exchange)) return refusal;
        if (step === 'key') return undefined;
        return step === 'body' && asked(exchange).stream === true ? refused : refusal;
      },
    },
  },
  'unknown-key-forbidden': {
    description: 'an unknown key is refused with 403',
    trips: ['auth.invalid.status', 'stream.refused.unauthorized'],
    behaviour: deciding('key', isUnknown, forbidden),
  },
  'basic-scheme-answered': {
    description: 'anything under the Basic scheme is accepted',
    trips: ['auth.scheme.bearer-only'],
    behaviour: deciding('key', isBasic),
  },
  'basic-scheme-malformed': {
    description: 'a key under the Basic scheme is refused with 400',
    trips: ['auth.scheme.bearer-only'],
    behaviour: deciding('key', isBasic, new ApiError('invalid_request', 'the scheme is not known')),
  },
  'disabled-key-answered': {
    description: 'the key of a disabled account still works',
    trips: ['auth.disabled.status'],
    behaviour: deciding('key', isDisabled),
  },
  'disabled-key-unauthorized': {
    description: 'the key of a disabled account is refused with 401 and the identifier of a disabled account',
    trips: ['auth.disabled.status', 'errors.identifier'],
    behaviour: deciding(
      'key',
      isDisabled,
      new ApiError('account_disabled', 'this account is refused', { status: 401 }),
    ),
  },
  'disabled-key-misnamed': {
    description: 'the refusal of a disabled account carries the identifier of an unknown key',
    trips: ['auth.disabled.identifier', 'errors.identifier'],
    behaviour: deciding('key', isDisabled, new ApiError('invalid_api_key', 'this key is refused', { status: 403 })),
  },
  'stream-key-unchecked': {
    description: 'any key is accepted for a stream',
    trips: ['stream.refused.unauthorized'],
    behaviour: {
      decide(refusal, step, exchange) {
        if (!isUnknown(exchange)) return refusal;
        if (step === 'key') return undefined;
        return step === 'body' && asked(exchange).stream !== true ? refused : refusal;
      },
    },
  },
} as const satisfies Faults;
