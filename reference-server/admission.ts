import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from './api-error.ts';
import type { Behaviour } from './behaviour.ts';
import { demandOf, failureFor } from './demand.ts';
import { toApiError } from './failure.ts';
import { type Account, accountOfAddress, bearerKey, refuseKey } from './keys/keyring.ts';
import { type Allowance, allowance as allowanceOf } from './limits/allowance.ts';
import type { RequestState } from './limits/limiter.ts';
import { type Place, StoreUnavailable } from './limits/store.ts';
import type { Chat } from './operation/watcher.ts';
import { unavailable } from './phase.ts';
import { requestId } from './request-id.ts';
import type { Service } from './service.ts';

/** What the server knows of one request. */
export interface Exchange {
  /** The request's X-Request-Id, or one that was made for it; of a start, that of its socket. */
  readonly id: string;
  /** The endpoint, with its parameters unfilled; `none` where no endpoint takes the request. */
  readonly route: string;
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
  /** When it came, in Unix milliseconds. */
  readonly at: number;
  /** The same in milliseconds of `performance.now()`. */
  readonly since: number;
  /** The failure that it asks for, where the server was started to obey. */
  readonly demand: string | undefined;
  /** Generations of its account, its own included, once it has a place. */
  running: number;
  /** The body of a chat request, once it is parsed. */
  body: unknown;
  /** The chat, once its answer begins. */
  chat: Chat | undefined;
}

/** The route of what no endpoint takes. */
export const noRoute = 'none';

type RequestHead = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'socket'>;

/** Finds out whom a request counts for, and counts it unless it is free. What follows is the watchers' to be told. */
export async function openExchange(
  service: Service,
  { method = '', url = '', headers, socket }: RequestHead,
  route: string,
  free = false,
): Promise<Exchange> {
  const { keyring, clock, allowFaults, watch } = service;
  const since = performance.now();
  const { authorization } = headers;
  const key = bearerKey(authorization);
  const holder = key === undefined ? undefined : keyring.find(key);
  const account = holder ?? accountOfAddress(socket.remoteAddress);
  const at = clock();
  const { taken, allowance, refusal } = await countRequest(service, account, free);
  const authenticated = holder !== undefined;
  const exchange: Exchange = {
    id: requestId(headers, keyring),
    route,
    method,
    url,
    authorization,
    account,
    authenticated,
    requests: taken,
    allowance,
    overLimit: refusal,
    at,
    since,
    demand: allowFaults ? demandOf(headers) : undefined,
    running: 0,
    body: undefined,
    chat: undefined,
  };
  watch.requestBegan(exchange);
  return exchange;
}

/**
 * Counts a request, or only reads the count where it is free. Where the count cannot be reached, the refusal is one with
 * 503 and the limit looks untouched.
 */
export async function countRequest(
  { limiter, clock, onFault }: Service,
  account: Account,
  free = false,
): Promise<RequestState> {
  try {
    return await (free ? limiter.readRequests(account) : limiter.countRequest(account));
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    const allowance = allowanceOf(account.limits.requestsPerMinute, 0, Math.floor(clock() / 1000) + 1);
    return { taken: 0, allowance, refusal: toApiError(error, onFault) };
  }
}

/** @throws ApiError where the request is over the limit, or could not be counted */
export function checkLimits({ behaviour, watch }: Service, exchange: Exchange): void {
  const refusal = behaviour.decide(exchange.overLimit, 'limits', exchange);
  if (refusal === undefined) return;
  watch.refused(refusal.code === 'rate_limit_exceeded' ? 'requests' : 'store');
  throw refusal;
}

/** @throws ApiError where the server takes no requests now */
export function checkPhase({ phase, watch }: Service): void {
  const { refusal } = phase;
  if (refusal === undefined) return;
  watch.refused(phase.name === 'loading' ? 'loading' : 'draining');
  throw refusal;
}

/** @throws ApiError while the process of the model starts again */
export function checkModel({ backend, watch }: Service): void {
  if (backend.backInMs === undefined) return;
  watch.refused('restarting');
  throw unavailable('the model is starting again after a crash', backend.backInMs);
}

/** @throws ApiError where the key does not open the API */
export function checkKey({ behaviour }: Service, exchange: Exchange): void {
  const holder = exchange.authenticated ? exchange.account : undefined;
  const refusal = behaviour.decide(refuseKey(exchange.authorization, holder), 'key', exchange);
  if (refusal) throw refusal;
}

/** @throws ApiError where the request asks for a failure that comes before any answer */
export function checkDemand({ behaviour }: Service, exchange: Exchange): void {
  const failure = behaviour.decide(failureFor(exchange.demand), 'demand', exchange);
  if (failure) throw failure;
}

/**
 * Takes the account's place for a chat.
 * @param decide the seam of a socket, or of REST
 * @throws ApiError where the account has no tokens or no place left
 */
export async function takePlace(
  { limiter, behaviour, watch }: Service,
  exchange: Exchange,
  decide: Required<Behaviour>['decide'],
): Promise<Place> {
  const { account } = exchange;
  const away = (error: unknown) => {
    if (error instanceof StoreUnavailable) watch.refused('store');
    throw error;
  };
  const tokens = decide(await limiter.refuseTokens(account).catch(away), 'tokens', exchange);
  if (tokens) watch.refused('tokens');
  if (tokens) throw tokens;
  const take = () => limiter.takePlace(account).catch(away);
  let place = await take();
  while (behaviour.queue && place instanceof ApiError) {
    await sleep(queueMs);
    place = await take();
  }
  const none = place instanceof ApiError ? place : undefined;
  const taken = place instanceof ApiError ? unlimited : place;
  exchange.running = taken.running;
  const refusal = decide(none, 'place', exchange);
  if (refusal) {
    watch.refused('concurrency');
    await taken.release();
    throw refusal;
  }
  return behaviour.place(taken, exchange);
}

/** How often a chat that waits looks for a place. */
const queueMs = 10;

/** The place of a chat that a behaviour lets pass the limit. */
const unlimited: Place = { running: Number.POSITIVE_INFINITY, release: async () => {} };
