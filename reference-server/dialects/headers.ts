import type { Behaviour } from '../behaviour.ts';
import { changed, inChunk, inHeaders } from '../change.ts';
import { type Outgoing, sendOutgoing } from '../outgoing.ts';
import type { Dialects } from './dialect.ts';

const sending = (change: (outgoing: Outgoing) => Outgoing): Behaviour => ({
  send: (response, outgoing) => sendOutgoing(response, change(outgoing)),
});

const namesAs = (spell: (name: string) => string): Behaviour =>
  sending((outgoing) => {
    const headers = Object.entries(outgoing.headers).map(([name, value]) => [spell(name), value]);
    return { ...outgoing, headers: Object.fromEntries(headers) };
  });

const versionInBody = (version: string, deprecationDate: string | null): Behaviour => ({
  answer: ({ headers: { 'X-API-Version': _, ...headers }, ...answer }) => ({
    ...answer,
    headers,
    body: changed(changed(answer.body, '/api_version', version), '/deprecation_date', deprecationDate),
  }),
  ...inChunk('', (chunk: object) => ({ ...chunk, api_version: version, deprecation_date: deprecationDate })),
});

const versionInHeader = (headers: Readonly<Record<string, string>>): Behaviour => ({
  answer(answer) {
    const body = changed(changed(answer.body, '/api_version', undefined), '/deprecation_date', undefined);
    return { ...answer, headers: { ...answer.headers, 'X-API-Version': '1.0', ...headers }, body };
  },
});

export const headerDialects = {
  'version-in-body-only': {
    description: 'the API version is in every JSON body and chunk, and in no header',
    behaviour: versionInBody('1.0', null),
  },
  'version-in-header-only': {
    description: 'the API version is in a header, and in no body',
    behaviour: versionInHeader({}),
  },
  'version-in-short': {
    description: 'the API version is v1, and its end is a day',
    behaviour: versionInBody('v1', '2027-12-31'),
  },
  'version-one': {
    description: 'the API version is 1, and its end is a time',
    behaviour: versionInBody('1', '2027-12-31T23:59:59Z'),
  },
  'deprecation-in-header': {
    description: 'the end of the API version is in a header of its own',
    behaviour: versionInHeader({ 'Deprecation-Date': '2027-12-31' }),
  },
  'header-names-small': {
    description: 'the names of all headers are in small letters',
    behaviour: namesAs((name) => name.toLowerCase()),
  },
  'header-names-capital': {
    description: 'the names of all headers are in capitals',
    behaviour: namesAs((name) => name.toUpperCase()),
  },
  'headers-unknown': {
    description: 'there are headers that the document does not know',
    behaviour: inHeaders(() => ({
      'X-Request-Id': 'req_29',
      Server: 'stack29',
      Vary: 'Origin',
      'X-RateLimit-Policy': '100;w=60',
    })),
  },
  'connection-close': {
    description: 'every response ends its connection',
    behaviour: inHeaders(() => ({ Connection: 'close' })),
  },
  'body-chunked': {
    description: 'JSON bodies come in chunks instead of with their length',
    behaviour: sending(({ headers: { 'Content-Length': _, ...headers }, ...outgoing }) => ({ ...outgoing, headers })),
  },
  'hints-first': {
    description: 'an informational response comes before every final one',
    behaviour: {
      send(response, outgoing) {
        response.writeProcessing();
        return sendOutgoing(response, outgoing);
      },
    },
  },
  'content-type-bare': {
    description: 'the media type has no parameters',
    behaviour: inHeaders((_, { headers }) => ({ 'Content-Type': headers['Content-Type']?.split(';', 1)[0] })),
  },
  'content-type-capital': {
    description: 'the media type is in capitals',
    behaviour: inHeaders((_, { headers }) => ({ 'Content-Type': headers['Content-Type']?.toUpperCase() })),
  },
  'errors-as-problem-json': {
    description: 'errors are labelled application/problem+json',
    behaviour: inHeaders(
      () => ({ 'Content-Type': 'application/problem+json' }),
      (_, { kind }) => kind === 'error',
    ),
  },
  'unauthorized-without-challenge': {
    description: 'a 401 has no WWW-Authenticate',
    behaviour: inHeaders(() => ({ 'WWW-Authenticate': undefined })),
  },
  'retry-after-date': {
    description: 'Retry-After of a 429 is a date',
    behaviour: inHeaders(
      ({ allowance }) => ({ 'Retry-After': new Date(allowance.reset * 1000).toUTCString() }),
      (_, { status }) => status === 429,
    ),
  },
  'window-rolling': {
    description: 'X-RateLimit-Reset is always a minute ahead, as with a window that rolls',
    behaviour: inHeaders(({ at }) => ({ 'X-RateLimit-Reset': String(Math.floor(at / 1000) + 60) })),
  },
  'models-public': {
    description: 'the models can be read without a key',
    behaviour: {
      decide: (refusal, step, { url }) => (step === 'key' && url.startsWith('/v1/models') ? undefined : refusal),
    },
  },
} as const satisfies Dialects;
