import type { IncomingMessage } from 'node:http';
import type { ApiError } from './api-error.ts';
import { type Account, accountOfAddress, bearerKey, refuseKey } from './keys/keyring.ts';
import type { Allowance } from './limits/allowance.ts';
import type { Slot } from './limits/limiter.ts';
import type { Service } from './service.ts';

/** What the server knows of one request. */
export interface Exchange {
  readonly method: string;
  /** Path and query as they were sent; empty where the request could not be read. */
  readonly url: string;
  readonly authorization: string | undefined;
  /** Whom the request counts for: the key's account, or the client's address. */
  readonly account: Account;
  /** Whether the account is that of a known key. */
  readonly authenticated: boolean;
  /** Requests of the account in the current window, this one included, refused ones too. */
  readonly requests: number;
  /** The request limit after this request. */
  readonly allowance: Allowance;
  /** The refusal of a request over the limit. */
  readonly overLimit: ApiError | undefined;
  /** The body of a chat request, once it is parsed. */
  body: unknown;
}

type RequestHead = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'socket'>;

/** Finds out whom a request counts for, and counts it unless it is free. */
export async function openExchange(
  { keyring, limiter }: Service,
  { method = '', url = '', headers, socket }: RequestHead,
  free = false,
): Promise<Exchange> {
  const { authorization } = headers;
  const key = bearerKey(authorization);
  const holder = key === undefined ? undefined : keyring.find(key);
  const account = holder ?? accountOfAddress(socket.remoteAddress);
  const {
    taken: requests,
    allowance,
    refusal,
  } = await (free ? limiter.readRequests(account) : limiter.countRequest(account));
  const authenticated = holder !== undefined;
  return {
    method,
    url,
    authorization,
    account,
    authenticated,
    requests,
    allowance,
    overLimit: refusal,
    body: undefined,
  };
}

/** @throws ApiError where the request is over the limit */
export function checkLimits({ behaviour }: Service, exchange: Exchange): void {
  const refusal = behaviour.decide(exchange.overLimit, 'limits', exchange);
  if (refusal) throw refusal;
}

/** @throws ApiError where the key does not open the API */
export function checkKey({ behaviour }: Service, exchange: Exchange): void {
  const holder = exchange.authenticated ? exchange.account : undefined;
  const refusal = behaviour.decide(refuseKey(exchange.authorization, holder), 'key', exchange);
  if (refusal) throw refusal;
}

/** Takes the account's place for a chat. @throws ApiError where the account has no tokens or no place left */
export async function takeSlot({ limiter }: Service, { account }: Exchange): Promise<Slot> {
  const refusal = (await limiter.refuseTokens(account)) ?? limiter.refuseSlot(account);
  if (refusal) throw refusal;
  return limiter.takeSlot(account);
}
