import type { RequirementTable } from '../requirement.ts';

/** Failures that a client cannot cause: the target is told to fail. */
const failure = { level: 'MUST', profile: 'core', source: 'error-handling/codes', need: 'fault-header' } as const;
const eitherPlace =
  'the tables call it a code in one place and a type in another; the literal numeric form is accepted';

export const errorRequirements = {
  'errors.envelope': {
    level: 'MUST',
    profile: 'core',
    statement: 'the body of every error response is an object whose member error is an object',
    source: 'error-handling/response-format',
  },
  'errors.message': {
    level: 'MUST',
    profile: 'core',
    statement: 'error.message of every error response is a string that is not empty',
    source: 'error-handling/response-format',
  },
  'errors.type': {
    level: 'MUST',
    profile: 'core',
    statement: 'error.type of every error response is a string that is not empty',
    source: 'error-handling/response-format',
  },
  'errors.code': {
    level: 'MUST',
    profile: 'core',
    statement:
      'error.code of every error response is a string that is not empty, or an integer equal to the HTTP status',
    source: 'error-handling/response-format',
    reading: 'the example has the status as a number, the table of codes has identifiers: both forms are accepted',
  },
  'errors.param': {
    level: 'MUST',
    profile: 'core',
    statement: 'error.param of an error response, where it is given, is a string or null',
    source: 'error-handling/response-format',
    reading: 'the example names a parameter; for an error that concerns none, null and absence are accepted',
  },
  'errors.identifier': {
    level: 'SHOULD',
    profile: 'core',
    statement: 'every error response carries an identifier that the document gives for its status, in code or in type',
    source: 'error-handling/codes',
    reading:
      'the tables call the identifier a code in one place and a type in another; the literal example (type invalid_request_error, the status as code) has none and is accepted as it stands',
  },
  'errors.dialect': {
    level: 'SHOULD',
    profile: 'core',
    statement:
      'all error responses use one form: identifier in code, identifier in type, or the status as a numeric code',
    source: 'error-handling/response-format',
    reading: 'each form is documented somewhere; a client can only read errors if a server keeps to one',
  },
  'errors.param.named': {
    level: 'SHOULD',
    profile: 'core',
    statement: 'the refusal of a bad parameter names that parameter in error.param',
    source: 'error-handling/response-format',
    reading: 'the example names the offending input in param; no table says so',
  },
  'errors.malformed-json.status': {
    level: 'MUST',
    profile: 'core',
    statement: 'a chat request whose body is not JSON is refused with 400',
    source: 'error-handling/codes',
  },
  'errors.malformed-body.status': {
    level: 'MUST',
    profile: 'core',
    statement: 'a chat request whose body is JSON but not an object is refused with 400',
    source: 'error-handling/codes',
  },
  'errors.model-not-found.status': {
    level: 'MUST',
    profile: 'core',
    statement: 'a chat request for a model that does not exist is refused with 404',
    source: 'error-handling/codes',
  },
  'errors.model-not-found.identifier': {
    level: 'SHOULD',
    profile: 'core',
    statement: 'the refusal of an unknown model carries the identifier model_not_found in code or type',
    source: 'error-handling/codes',
    reading: eitherPlace,
  },
  'errors.context-length.status': {
    level: 'MUST',
    profile: 'core',
    statement: "a prompt longer than the model's context window is refused with 400",
    source: 'error-handling/codes',
    need: 'long-prompt',
  },
  'errors.context-length.identifier': {
    level: 'SHOULD',
    profile: 'core',
    statement:
      'the refusal of a prompt that is too long carries the identifier context_length_exceeded in code or type',
    source: 'error-handling/codes',
    need: 'long-prompt',
    reading: eitherPlace,
  },
  'errors.rate-limit.status': {
    level: 'MUST',
    profile: 'limits',
    statement: 'a request over the request limit is refused with 429',
    source: 'error-handling/codes',
    need: 'spends-limits',
  },
  'errors.rate-limit.retry-after': {
    level: 'SHOULD',
    profile: 'limits',
    statement: 'a 429 carries Retry-After: whole seconds or an HTTP date',
    source: 'rate-limits/handling-rate-limits',
    need: 'spends-limits',
    reading: 'not documented, but the OpenAI clients wait by it; without it they retry at once into the same limit',
  },
  'errors.tool-error.status': {
    ...failure,
    statement: 'a tool that fails while the server runs it makes the request fail with 422',
  },
  'errors.tool-error.identifier': {
    ...failure,
    level: 'SHOULD',
    statement: 'the failure of a tool carries the identifier tool_error in code or type',
    reading: eitherPlace,
  },
  'errors.internal-error.status': {
    ...failure,
    statement: 'a fault of the server itself is answered with 500',
  },
  'errors.internal-error.identifier': {
    ...failure,
    level: 'SHOULD',
    statement: 'a fault of the server itself carries the identifier internal_error in code or type',
    reading: eitherPlace,
  },
  'errors.service-unavailable.status': {
    ...failure,
    statement: 'a service that is down for a while answers 503',
  },
  'errors.service-unavailable.identifier': {
    ...failure,
    level: 'SHOULD',
    statement: 'a service that is down carries the identifier service_unavailable in code or type',
    reading: eitherPlace,
  },
} as const satisfies RequirementTable;
