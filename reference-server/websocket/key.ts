import type { IncomingMessage } from 'node:http';
import type { Exchange } from '../admission.ts';
import { ApiError } from '../api-error.ts';
import type { Account } from '../keys/keyring.ts';
import type { Service } from '../service.ts';
import type { KeyPlace, Scene } from './socket-behaviour.ts';

interface GivenKey {
  readonly place: KeyPlace;
  /** As an Authorization header has it. */
  readonly authorization: string;
}

/** The key that the request for a socket holds, in one of the places that are looked at. */
export function keyInRequest(
  { headers, url = '' }: Pick<IncomingMessage, 'headers' | 'url'>,
  places: readonly KeyPlace[],
): GivenKey | undefined {
  const { authorization } = headers;
  if (authorization !== undefined && places.includes('header')) return { place: 'header', authorization };
  const key = new URLSearchParams(url.split('?', 2)[1]).get('api_key');
  if (key === null || !places.includes('query')) return undefined;
  return { place: 'query', authorization: `Bearer ${key}` };
}

/** Whom a start counts for whose socket was opened without a valid key. */
export function holderOf(
  { keyring }: Service,
  opened: Exchange,
  { keyPlace }: Scene,
  key: unknown,
): { readonly account: Account; readonly authenticated: boolean } {
  const holder = keyPlace === 'start' && typeof key === 'string' ? keyring.find(key) : undefined;
  return { account: holder ?? opened.account, authenticated: holder !== undefined };
}

/** Why a socket or a start may not go on, as far as its key decides. */
export function refuseSocketKey(
  { account, authenticated }: Pick<Exchange, 'account' | 'authenticated'>,
  { keyPlace }: Pick<Scene, 'keyPlace'>,
): ApiError | undefined {
  if (authenticated) {
    return account.disabled
      ? new ApiError('account_disabled', 'this account is disabled', { param: 'authorization' })
      : undefined;
  }
  const what = keyPlace === undefined ? 'no API key was given' : 'the API key is not valid';
  return new ApiError(
    'invalid_api_key',
    `${what}: send "Authorization: Bearer <key>" with the request for the socket, or api_key in its query or in start`,
    { param: 'authorization', headers: { 'WWW-Authenticate': 'Bearer' } },
  );
}
