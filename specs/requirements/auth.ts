import type { RequirementTable } from '../requirement.ts';

export const authRequirements = {
  'auth.bearer.accepted': {
    level: 'MUST',
    profile: 'core',
    statement: 'a chat request with a valid key as a bearer token in the Authorization header is answered with 200',
    source: 'authentication/api-key-authentication',
  },
  'auth.missing.status': {
    level: 'MUST',
    profile: 'core',
    statement: 'a chat request without a key is refused with 401',
    source: 'authentication/authentication-errors',
    reading: 'judged on chat only: the document itself reads a model without sending a key',
  },
  'auth.invalid.status': {
    level: 'MUST',
    profile: 'core',
    statement: 'a chat request with an unknown key is refused with 401',
    source: 'authentication/authentication-errors',
  },
  'auth.scheme.bearer-only': {
    level: 'SHOULD',
    profile: 'core',
    statement: 'a valid key under another scheme than Bearer is refused with 401',
    source: 'authentication/api-key-authentication',
    reading: 'Bearer is the only documented scheme, but the document does not say what becomes of others',
  },
  'auth.disabled.status': {
    level: 'MUST',
    profile: 'core',
    statement: 'a chat request with the key of a disabled account is refused with 403',
    source: 'authentication/authentication-errors',
    need: 'disabled-key',
    reading:
      'a 401 is what a key gets that the target does not know, so it decides nothing unless it names account_disabled',
  },
  'auth.disabled.identifier': {
    level: 'SHOULD',
    profile: 'core',
    statement: 'the refusal of a disabled account carries the identifier account_disabled in code or type',
    source: 'error-handling/codes',
    need: 'disabled-key',
    reading: 'the tables call it a code in one place and a type in another, and the example has neither',
  },
} as const satisfies RequirementTable;
