import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Keyring } from './keys/keyring.ts';

/** What fits a header, a line of a log and a query of one, whatever reads it. */
const sane = /^[A-Za-z0-9][\w.:/+=-]{0,127}$/;

/** What looks like a credential, whosever it is: one with its scheme, a key with a usual prefix, a JSON Web Token. */
const looksSecret = /^(bearer|basic|digest)\b|(^|[^a-z0-9])(sk|pk|rk|whsec|api[-_]?key)[-_:=]|eyJ[\w-]*\.[\w-]+\./i;

/**
 * The id of a request: the one in its X-Request-Id, so that it can be followed through several services, or a new one
 * where that is none, or holds or resembles a credential: ids are logged and sent on, and credentials are not.
 */
export function requestId(headers: IncomingHttpHeaders, keyring: Pick<Keyring, 'isIn'>): string {
  const { 'x-request-id': given } = headers;
  if (typeof given !== 'string' || !sane.test(given) || looksSecret.test(given)) return randomUUID();
  const isSecret = credentialsOf(headers).some((secret) => given.includes(secret)) || keyring.isIn(given);
  return isSecret ? randomUUID() : given;
}

/** Every word of the headers that hold credentials; of the Basic scheme also what it encodes. */
function credentialsOf({ authorization = '', 'proxy-authorization': proxy = '' }: IncomingHttpHeaders): string[] {
  const headers = `${authorization} ${proxy}`;
  const pairs = [...headers.matchAll(/basic +(\S+)/gi)].map(([, encoded = '']) => Buffer.from(encoded, 'base64'));
  const words = [headers, ...pairs.map((pair) => pair.toString('latin1').replace(':', ' '))].join(' ');
  return words.split(/[^\w.:/+=-]+/).filter((word) => word !== '');
}
