import { Inconclusive, violate } from '../expect.ts';
import { isObject, member } from '../member.ts';
import type { Reply } from '../reply.ts';

/** The identifiers that the document gives for a status. */
export const identifiersByStatus: Readonly<Record<number, readonly string[]>> = {
  400: ['invalid_request', 'context_length_exceeded'],
  401: ['invalid_api_key'],
  403: ['account_disabled'],
  404: ['model_not_found'],
  422: ['tool_error'],
  429: ['rate_limit_exceeded'],
  500: ['internal_error'],
  503: ['service_unavailable'],
};

const documented: ReadonlySet<unknown> = new Set(Object.values(identifiersByStatus).flat());

/** The `error` object of an error response, or `undefined` where the envelope is not there. */
export function errorOf(reply: Reply): Readonly<Record<string, unknown>> | undefined {
  const error = member(reply.json, 'error');
  return reply.status >= 400 && isObject(error) ? error : undefined;
}

export type ErrorForm = 'identifier in code' | 'identifier in type' | 'status as numeric code';

/** Which documented form an error has; `undefined` where it has none. */
export function errorForm(error: Readonly<Record<string, unknown>>): ErrorForm | undefined {
  if (documented.has(error.code)) return 'identifier in code';
  if (documented.has(error.type)) return 'identifier in type';
  // The document's example in its own terms: a general type, and the status where a code would be.
  if (Number.isInteger(error.code) && error.type === 'invalid_request_error') return 'status as numeric code';
  return undefined;
}

/** The error names one of `accepted` in code or type, or has the form of the document's example. */
export function expectOneOfIdentifiers(reply: Reply, accepted: readonly string[]): undefined {
  const error = errorOf(reply);
  if (error === undefined) throw new Inconclusive('the response has no error object to read an identifier from');
  const { code, type } = error;
  if (errorForm(error) === 'status as numeric code') return;
  if (accepted.some((identifier) => identifier === code || identifier === type)) return;
  violate(reply, 'identifier', accepted, JSON.stringify({ code, type }));
}

/** As {@link expectOneOfIdentifiers}, for a refusal that must have had this status. */
export function expectIdentifier(reply: Reply, status: number, identifier: string): undefined {
  if (reply.status !== status) throw new Inconclusive(`the request was not refused with ${status}`);
  return expectOneOfIdentifiers(reply, [identifier]);
}
