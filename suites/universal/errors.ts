import { expectThat } from '../expect.ts';
import { errorOf, expectOneOfIdentifiers, identifiersByStatus } from '../probes/error-identifiers.ts';
import { badParameterOf } from '../probes/refused.ts';
import type { Reply } from '../reply.ts';
import { arrived, type ExchangeRules } from './rule.ts';

const isError = (reply: Reply) => arrived(reply) && reply.status >= 400 && reply.json !== undefined;
const hasEnvelope = (reply: Reply) => isError(reply) && errorOf(reply) !== undefined;
const isText = (value: unknown) => typeof value === 'string' && value.trim() !== '';

export const errorRules: ExchangeRules = {
  'errors.envelope': {
    applies: isError,
    judge: (reply) =>
      expectThat(reply, 'body', errorOf(reply) !== undefined, 'an object with the member error, an object', reply.json),
  },
  'errors.message': {
    applies: hasEnvelope,
    judge: (reply) => {
      const message = errorOf(reply)?.message;
      return expectThat(reply, '/error/message', isText(message), 'a string that is not empty', message);
    },
  },
  'errors.type': {
    applies: hasEnvelope,
    judge: (reply) => {
      const type = errorOf(reply)?.type;
      return expectThat(reply, '/error/type', isText(type), 'a string that is not empty', type);
    },
  },
  'errors.code': {
    applies: hasEnvelope,
    judge: (reply) => {
      const code = errorOf(reply)?.code;
      const holds = isText(code) || code === reply.status;
      return expectThat(reply, '/error/code', holds, `a string that is not empty, or ${reply.status}`, code);
    },
  },
  'errors.param': {
    applies: hasEnvelope,
    judge: (reply) => {
      const param = errorOf(reply)?.param ?? null;
      return expectThat(reply, '/error/param', param === null || typeof param === 'string', 'a string or null', param);
    },
  },
  'errors.param.named': {
    applies: (reply) => hasEnvelope(reply) && reply.status === 400 && badParameterOf(reply.exchange) !== undefined,
    judge: (reply) => {
      const parameter = badParameterOf(reply.exchange) ?? '';
      const param = errorOf(reply)?.param;
      return expectThat(reply, '/error/param', names(param, parameter), parameter, param);
    },
  },
  'errors.identifier': {
    applies: (reply) => hasEnvelope(reply) && reply.status in identifiersByStatus,
    judge: (reply) => expectOneOfIdentifiers(reply, identifiersByStatus[reply.status] ?? []),
  },
};

/** `messages[0].role` and `messages.0.role` name `messages`, too. */
function names(param: unknown, parameter: string): boolean {
  if (typeof param !== 'string' || !param.startsWith(parameter)) return false;
  const rest = param.slice(parameter.length);
  return rest === '' || /^[.[]/.test(rest);
}
