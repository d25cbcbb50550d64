import { expectArrived, expectStatus, Inconclusive, need, violate } from '../expect.ts';
import { type Context, defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { errorOf, expectIdentifier } from './error-identifiers.ts';
import { needAnsweredChat } from './prerequisites.ts';

const refusal = (status: number) => (reply: Reply, context: Context) => {
  needAnsweredChat(context);
  return expectStatus(reply, status);
};

const validKey = defineProbe({
  name: 'a chat with a valid key',
  cost: { requests: 0, tokens: 0 },
  act: async (target) => target.baseline.chat,
  judge: {
    'auth.bearer.accepted': (reply) => {
      expectArrived(reply);
      if (reply.status === 401 || reply.status === 403) violate(reply, 'status', '200', String(reply.status));
      if (reply.status !== 200) throw new Inconclusive(`the chat was answered with ${reply.status} for another reason`);
    },
  },
});

const missingKey = defineProbe({
  name: 'a chat without a key',
  cost: { requests: 1, tokens: 60 },
  act: (target) => target.chat({}, { credential: 'none' }),
  judge: { 'auth.missing.status': refusal(401) },
});

const unknownKey = defineProbe({
  name: 'a chat with an unknown key',
  cost: { requests: 1, tokens: 60 },
  act: (target) => target.chat({}, { credential: 'unknown' }),
  judge: { 'auth.invalid.status': refusal(401) },
});

const basicScheme = defineProbe({
  name: 'a chat with the key under the Basic scheme',
  cost: { requests: 1, tokens: 60 },
  act: (target) => target.chat({}, { credential: 'basic' }),
  judge: { 'auth.scheme.bearer-only': refusal(401) },
});

/** Only its identifier tells a 401 for a disabled account from one for a key that the target does not know. */
function needKnownAccount(reply: Reply): undefined {
  const { code, type } = errorOf(reply) ?? {};
  need(
    reply.status !== 401 || [code, type].includes('account_disabled'),
    'the key was refused with 401, as an unknown one is: give --disabled-key of an account that the target has disabled',
  );
}

const disabledKey = defineProbe({
  name: 'a chat with the key of a disabled account',
  cost: { requests: 1, tokens: 60 },
  async act(target) {
    need(target.options.disabledKey, 'needs the key of a disabled account: give --disabled-key');
    return target.chat({}, { credential: 'disabled' });
  },
  judge: {
    'auth.disabled.status': (reply, context) => {
      needKnownAccount(reply);
      return refusal(403)(reply, context);
    },
    'auth.disabled.identifier': (reply) => expectIdentifier(reply, 403, 'account_disabled'),
  },
});

export const authProbes = [validKey, missingKey, unknownKey, basicScheme, disabledKey];
