import { createHash, timingSafeEqual } from 'node:crypto';
import { ApiError } from '../api-error.ts';
import { type Limits, tierLimits } from '../limits/tiers.ts';
import type { WebhookTarget } from '../webhooks/target.ts';
import type { KeyEntry } from './key-entries.ts';

/** Whoever a request counts for: the holder of a key, or an address that gave none. */
export interface Account {
  readonly id: string;
  readonly limits: Limits;
  readonly disabled: boolean;
  readonly webhook?: WebhookTarget | undefined;
}

/** Requests without a valid key have the limits of the Free tier, counted by address. */
export function accountOfAddress(address = 'unknown'): Account {
  return { id: `address ${address}`, limits: tierLimits.free, disabled: false };
}

export class Keyring {
  readonly #entries: readonly { readonly digest: Buffer; readonly account: Account }[];

  readonly #digests: ReadonlySet<string>;
  /** Characters of the keys, which are not kept themselves. */
  readonly #lengths: ReadonlySet<number>;

  /** What accounts have used of their day before the server starts. */
  readonly seeds: readonly { readonly account: Account; readonly tokens: number }[];

  constructor(entries: readonly KeyEntry[]) {
    this.#entries = entries.map(({ key, limits, disabled, webhook }) => ({
      digest: digest(key),
      // The same for every server and every start, and no way back to the key.
      account: { id: `key ${digest(key).toString('hex').slice(0, 32)}`, limits, disabled, webhook },
    }));
    this.#digests = new Set(this.#entries.map((entry) => entry.digest.toString('hex')));
    this.#lengths = new Set(entries.map(({ key }) => key.length));
    this.seeds = this.#entries.flatMap(({ account }, index) => {
      const tokens = entries[index]?.tokensUsed;
      return tokens === undefined ? [] : [{ account, tokens }];
    });
  }

  /** Looks at every entry and compares digests, so that the time taken tells nothing about a key. */
  find(key: string): Account | undefined {
    const wanted = digest(key);
    let found: Account | undefined;
    for (const entry of this.#entries) {
      if (timingSafeEqual(entry.digest, wanted)) found = entry.account;
    }
    return found;
  }

  /** Whether a short text holds one of the keys. */
  isIn(text: string): boolean {
    return [...this.#lengths].some((length) => {
      const parts = Array.from({ length: text.length - length + 1 }, (_, begin) => text.slice(begin, begin + length));
      return parts.some((part) => this.#digests.has(digest(part).toString('hex')));
    });
  }
}

/** The key of an Authorization header of the Bearer scheme. */
export function bearerKey(authorization: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

/** Why a request may not go on, as far as its key decides. */
export function refuseKey(authorization: string | undefined, account: Account | undefined): ApiError | undefined {
  if (account?.disabled)
    return new ApiError('account_disabled', 'this account is disabled', { param: 'authorization' });
  if (account) return undefined;
  const message =
    authorization === undefined
      ? 'no API key was given: send the header "Authorization: Bearer <key>"'
      : 'the API key is not valid: send the header "Authorization: Bearer <key>" with a key of this server';
  return new ApiError('invalid_api_key', message, {
    param: 'authorization',
    headers: { 'WWW-Authenticate': 'Bearer' },
  });
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
