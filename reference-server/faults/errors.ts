import type { Exchange } from '../admission.ts';
import { ApiError } from '../api-error.ts';
import type { Behaviour } from '../behaviour.ts';
import { asked, changed, inBody, membersOf } from '../change.ts';
import { deciding } from './checks.ts';
import type { Faults } from './fault.ts';

/** Changes a part of the errors with this status, or of all. */
const inErrors = (pointer: string, to: unknown, status?: number): Behaviour =>
  inBody('error', pointer, to, (_, answer) => status === undefined || answer.status === status);

const isChat = ({ url }: Exchange) => url === '/v1/chat/completions';

/** Changes the answer to a chat whose body is not JSON, or is no object. */
const instead = (error: ApiError, malformed: (body: unknown) => boolean): Behaviour => ({
  answer: (answer, exchange) =>
    answer.kind === 'error' && answer.status === 400 && isChat(exchange) && malformed(exchange.body)
      ? {
          ...answer,
          status: error.status,
          body: changed(answer.body, '/error', {
            message: error.message,
            type: error.type,
            param: error.param,
            code: error.code,
          }),
        }
      : answer,
});

const failed = new ApiError('internal_error', 'the server failed to answer this request');
const notFound = new ApiError('model_not_found', 'there is no such model');

/** Every error has its identifier in `type`, and `code` is this. */
const identifierInType = (
  code: (status: number) => unknown,
  when: (status: number) => boolean = () => true,
): Behaviour => ({
  answer(answer) {
    if (answer.kind !== 'error' || !when(answer.status)) return answer;
    const body = changed(answer.body, '/error', (error: unknown) => ({
      ...membersOf(error),
      type: membersOf(error).code,
      code: code(answer.status),
    }));
    return { ...answer, body };
  },
});

export const errorFaults = {
  'error-bare-on-404': {
    description: 'a 404 has its message outside of an error object',
    trips: ['errors.envelope'],
    behaviour: inErrors('', { message: 'there is no such model', api_version: '1.0', deprecation_date: null }, 404),
  },
  'error-text-on-401': {
    description: 'error is a text on a 401',
    trips: ['errors.envelope'],
    behaviour: inErrors('/error', 'the key is not valid', 401),
  },
  'error-list-on-400': {
    description: 'error is a list on a 400',
    trips: ['errors.envelope'],
    behaviour: inErrors('/error', (error: unknown) => [error], 400),
  },
  'error-null-on-429': {
    description: 'error is null on a 429',
    trips: ['errors.envelope'],
    behaviour: inErrors('/error', null, 429),
  },
  'error-without-message': {
    description: 'a 403 has no message',
    trips: ['errors.message'],
    behaviour: inErrors('/error/message', undefined, 403),
  },
  'error-message-empty': {
    description: 'the message of every error is empty',
    trips: ['errors.message'],
    behaviour: inErrors('/error/message', ''),
  },
  'error-message-list': {
    description: 'the message of a 400 is a list',
    trips: ['errors.message'],
    behaviour: inErrors('/error/message', (message: string) => [message], 400),
  },
  'error-without-type': {
    description: 'a 404 has no type',
    trips: ['errors.type'],
    behaviour: inErrors('/error/type', undefined, 404),
  },
  'error-type-null': {
    description: 'the type of every error is null',
    trips: ['errors.type'],
    behaviour: inErrors('/error/type', null),
  },
  'error-code-null': {
    description: 'the code of every error is null, and the identifier is in type',
    trips: ['errors.code'],
    behaviour: identifierInType(() => null),
  },
  'error-code-always-400': {
    description: 'the numeric code of every error is 400, whatever its status',
    trips: ['errors.code'],
    behaviour: identifierInType(() => 400),
  },
  'error-code-status-text': {
    description: 'a 401 has the code 0 and its identifier in type',
    trips: ['errors.code', 'errors.dialect'],
    behaviour: identifierInType(
      () => 0,
      (status) => status === 401,
    ),
  },
  'error-param-number': {
    description: 'param of a 404 is a number',
    trips: ['errors.param'],
    behaviour: inErrors('/error/param', 0, 404),
  },
  'error-param-list': {
    description: 'param of a 401 is a list',
    trips: ['errors.param'],
    behaviour: inErrors('/error/param', ['authorization'], 401),
  },
  'error-identifier-undocumented': {
    description: 'the code of a 400 is bad_request',
    trips: ['errors.identifier', 'errors.context-length.identifier'],
    behaviour: inErrors('/error/code', 'bad_request', 400),
  },
  'error-identifier-of-another-status': {
    description: 'a 401 carries the identifier of a disabled account',
    trips: ['errors.identifier'],
    behaviour: inErrors('/error/code', 'account_disabled', 401),
  },
  'error-identifier-capitalized': {
    description: 'the code of a 401 is written INVALID_API_KEY',
    trips: ['errors.identifier'],
    behaviour: inErrors('/error/code', 'INVALID_API_KEY', 401),
  },
  'error-forms-mixed': {
    description: 'a 401 has its identifier in type, other errors have it in code',
    trips: ['errors.dialect'],
    behaviour: identifierInType(
      (status) => status,
      (status) => status === 401,
    ),
  },
  'param-null': {
    description: 'no error names the parameter that is to blame',
    trips: ['errors.param.named'],
    behaviour: inErrors('/error/param', null),
  },
  'param-always-body': {
    description: 'every bad parameter is called body',
    trips: ['errors.param.named'],
    behaviour: inErrors('/error/param', 'body', 400),
  },
  'param-misnamed': {
    description: 'a bad max_tokens is called max_completion_tokens',
    trips: ['errors.param.named'],
    behaviour: inErrors('/error/param', (param: unknown) => (param === 'max_tokens' ? 'max_completion_tokens' : param)),
  },
  'malformed-json-fails': {
    description: 'a body that is not JSON is answered with 500',
    trips: ['errors.malformed-json.status'],
    behaviour: instead(failed, (body) => body === undefined),
  },
  'malformed-json-not-found': {
    description: 'a body that is not JSON is taken for a chat without a model, and answered with 404',
    trips: ['errors.malformed-json.status'],
    behaviour: instead(notFound, (body) => body === undefined),
  },
  'list-body-fails': {
    description: 'a body that is a list is answered with 500',
    trips: ['errors.malformed-body.status'],
    behaviour: instead(failed, Array.isArray),
  },
  'list-body-not-found': {
    description: 'a body that is a list is taken for a chat without a model, and answered with 404',
    trips: ['errors.malformed-body.status'],
    behaviour: instead(notFound, Array.isArray),
  },
  'unknown-model-answered': {
    description: 'a chat for a model that does not exist is answered in its name',
    trips: ['errors.model-not-found.status'],
    behaviour: {
      ...deciding('model', () => true),
      ...inBody('completion', '/model', 'stack29-conformance/no-such-model', (exchange) =>
        String(asked(exchange).model).endsWith('no-such-model'),
      ),
    },
  },
  'unknown-model-refused-with-400': {
    description: 'a chat for a model that does not exist is refused with 400',
    trips: ['errors.model-not-found.status'],
    behaviour: deciding(
      'model',
      (_, refusal) => refusal !== undefined,
      new ApiError('invalid_request', 'there is no such model', { param: 'model' }),
    ),
  },
  'unknown-model-misnamed': {
    description: 'a chat for a model that does not exist is refused with 404 and the identifier invalid_request',
    trips: ['errors.model-not-found.identifier', 'errors.identifier'],
    behaviour: deciding(
      'model',
      (_, refusal) => refusal !== undefined,
      new ApiError('invalid_request', 'there is no such model', { status: 404, param: 'model' }),
    ),
  },
  'long-prompt-answered': {
    description: 'a prompt that is too long is answered',
    trips: ['errors.context-length.status'],
    behaviour: {
      ...deciding('context', () => true),
      generation: (generation) => ({ ...generation, maxTokens: Math.max(generation.maxTokens, 1) }),
    },
  },
  'long-prompt-too-large': {
    description: 'a prompt that is too long is refused with 413',
    trips: ['errors.context-length.status'],
    behaviour: deciding(
      'context',
      (_, refusal) => refusal !== undefined,
      new ApiError('context_length_exceeded', 'the prompt is too long', { status: 413, param: 'messages' }),
    ),
  },
  'long-prompt-fails': {
    description: 'a prompt that is too long is answered with 500',
    trips: ['errors.context-length.status'],
    behaviour: deciding('context', (_, refusal) => refusal !== undefined, failed),
  },
  'long-prompt-misnamed': {
    description: 'the refusal of a prompt that is too long carries the identifier invalid_request',
    trips: ['errors.context-length.identifier'],
    behaviour: deciding(
      'context',
      (_, refusal) => refusal !== undefined,
      new ApiError('invalid_request', 'the prompt is too long', { param: 'messages' }),
    ),
  },
} as const satisfies Faults;
