import type { Behaviour } from '../behaviour.ts';
import { changed, type Members, membersOf } from '../change.ts';
import type { Dialects } from './dialect.ts';

/** Gives every error object other members. */
const errorForm = (form: (error: Members, status: number) => Members): Behaviour => ({
  answer: (answer) =>
    answer.kind === 'error'
      ? { ...answer, body: changed(answer.body, '/error', (error: unknown) => form(membersOf(error), answer.status)) }
      : answer,
});

/** The families of errors as the document's table calls them. */
const families: Readonly<Record<string, string>> = {
  authentication_error: 'Authentication',
  rate_limit_error: 'Rate Limit',
  invalid_request_error: 'Invalid Request',
  server_error: 'Server Error',
  tool_error: 'Tool Error',
};

export const errorDialects = {
  'error-identifier-in-type': {
    description: 'errors have their identifier in type, and the status as code',
    behaviour: errorForm((error, status) => ({ ...error, type: error.code, code: status })),
  },
  'error-identifier-in-both': {
    description: 'errors have their identifier in code and in type',
    behaviour: errorForm((error) => ({ ...error, type: error.code })),
  },
  'error-literal-example': {
    description: 'errors look as in the example: a general type, and the status as code',
    behaviour: errorForm((error, status) => ({ ...error, type: 'invalid_request_error', code: status })),
  },
  'error-family-in-words': {
    description: 'errors have their identifier in code, and the words of the table as type',
    behaviour: errorForm((error) => ({ ...error, type: families[String(error.type)] })),
  },
  'error-without-empty-param': {
    description: 'errors that concern no parameter leave param out',
    behaviour: errorForm(({ param, ...error }) => (param === null ? error : { ...error, param })),
  },
  'error-param-as-path': {
    description: 'param is a path into the parameter',
    behaviour: errorForm((error) => (error.param === 'messages' ? { ...error, param: 'messages[0].content' } : error)),
  },
  'error-with-more-members': {
    description: 'errors have members that the document does not know',
    behaviour: errorForm((error) => ({ ...error, request_id: 'req_29', details: [{ hint: 'see the documentation' }] })),
  },
} as const satisfies Dialects;
