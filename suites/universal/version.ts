import { bodiesOf } from '../chunks.ts';
import { expectThat } from '../expect.ts';
import { member } from '../member.ts';
import type { Reply } from '../reply.ts';
import { type ExchangeRules, readable } from './rule.ts';

const versionHeaders = [
  'api-version',
  'x-api-version',
  'x-stack29-api-version',
  'stack29-api-version',
  'openai-version',
];
const deprecationHeaders = ['deprecation-date', 'x-deprecation-date', 'deprecation'];

interface Given {
  readonly place: 'body' | 'header';
  readonly value: unknown;
}

function inBody(reply: Reply, name: string): Given | undefined {
  const value = bodiesOf(reply)
    .map((body) => member(body, name))
    .find((found) => found !== undefined);
  return value === undefined ? undefined : { place: 'body', value };
}

function inHeader(reply: Reply, names: readonly string[]): Given | undefined {
  const value = names.map((name) => reply.header(name)).find((found) => found !== undefined);
  return value === undefined ? undefined : { place: 'header', value };
}

export function apiVersion(reply: Reply): Given | undefined {
  return inBody(reply, 'api_version') ?? inHeader(reply, versionHeaders);
}

function deprecationDate(reply: Reply): Given | undefined {
  return inBody(reply, 'deprecation_date') ?? inHeader(reply, deprecationHeaders);
}

/** null, a date or a time of ISO 8601; in a header also an HTTP date, or Unix seconds after an @ (RFC 9745). */
function isDeprecationDate({ place, value }: Given): boolean {
  if (value === null) return true;
  if (typeof value !== 'string') return false;
  if (place === 'header' && (value === '' || value === 'null' || /^@\d+$/.test(value))) return true;
  if (Number.isNaN(Date.parse(value))) return false;
  return /^\d{4}-\d{2}-\d{2}($|T)/.test(value) || (place === 'header' && / GMT$/.test(value));
}

const none = 'no response gives the API version';

export const versionRules: ExchangeRules = {
  'version.api-version.present': {
    applies: readable,
    judge: (reply) =>
      expectThat(
        reply,
        'API version',
        apiVersion(reply) !== undefined,
        'api_version in the JSON, or a header',
        undefined,
      ),
  },
  'version.api-version.value': {
    applies: (reply) => readable(reply) && apiVersion(reply) !== undefined,
    absent: none,
    judge: (reply) => {
      const value = apiVersion(reply)?.value;
      const holds = typeof value === 'string' && /^v?1(\.\d+)*$/.test(value);
      return expectThat(reply, 'API version', holds, '"1.0", "1" or "v1"', value);
    },
  },
  'version.deprecation-date.present': {
    applies: (reply) => readable(reply) && apiVersion(reply) !== undefined,
    absent: none,
    judge: (reply) => {
      const holds = apiVersion(reply)?.place === 'header' || deprecationDate(reply) !== undefined;
      return expectThat(reply, '/deprecation_date', holds, 'null or a date', undefined);
    },
  },
  'version.deprecation-date.value': {
    applies: (reply) => readable(reply) && deprecationDate(reply) !== undefined,
    absent: 'no response gives a deprecation date',
    judge: (reply) => {
      const given = deprecationDate(reply);
      return expectThat(
        reply,
        'deprecation_date',
        given !== undefined && isDeprecationDate(given),
        'null or a date',
        given?.value,
      );
    },
  },
};
