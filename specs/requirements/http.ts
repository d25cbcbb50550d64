import type { RequirementTable } from '../requirement.ts';

/** Rules for every exchange, whatever was asked. */
export const httpRequirements = {
  'http.response.complete': {
    level: 'MUST',
    profile: 'core',
    statement: 'every request is answered with one whole, well-formed HTTP response',
    source: 'rest-endpoints/chat-completions',
    reading:
      'no documented status, header or field can be read from a response that does not arrive whole; how fast it comes is not stated, so one that is late decides nothing, and neither does a target that cannot be reached for a while',
  },
  'http.redirect.none': {
    level: 'MUST',
    profile: 'core',
    statement: 'a documented endpoint answers under the base URL itself and does not redirect',
    source: 'overview/base-url',
    reading:
      'the document names the base URL as the place of every endpoint; a client that follows a redirect may lose its key or its POST',
  },
  'http.body.json': {
    level: 'MUST',
    profile: 'core',
    statement: 'every body but that of a stream of events is JSON in valid UTF-8, labelled application/json',
    source: 'rest-endpoints/chat-completions/response',
    reading: 'the document shows every response as JSON; JSON on a network is UTF-8 (RFC 8259)',
  },
} as const satisfies RequirementTable;
