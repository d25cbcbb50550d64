import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { bearerKey, type Keyring } from './keys/keyring.ts';

/** What fits a header, a line of a log and a query of one, whatever reads it. */
const sane = /^[A-Za-z0-9][\w.:/+=-]{0,127}$/;

/**
 * The id of a request: the one in its X-Request-Id, so that it can be followed through several services, or a new one
 * where that is none, or is a key: ids are logged and keys are not.
 */
export function requestId(
  { authorization, 'x-request-id': given }: IncomingHttpHeaders,
  keyring: Pick<Keyring, 'find'>,
): string {
  if (typeof given !== 'string' || !sane.test(given)) return randomUUID();
  return given === bearerKey(authorization) || keyring.find(given) ? randomUUID() : given;
}
