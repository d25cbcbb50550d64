import { readFileSync } from 'node:fs';
import { type Limits, type Tier, tierLimits, tiers } from '../limits/tiers.ts';
import { BadWebhook, parseWebhook, type WebhookTarget } from '../webhooks/target.ts';

/** A key that the server accepts, with the limits of its account. */
export interface KeyEntry {
  readonly key: string;
  readonly limits: Limits;
  readonly disabled: boolean;
  /** Tokens that count as used today when the server starts; default none. */
  readonly tokensUsed?: number;
  /** Where the events of the key's account are delivered, where it is not the server's default. */
  readonly webhook?: WebhookTarget;
}

/** Keys that cannot be used. The message says where and why, and shows no key. */
export class BadKeys extends Error {}

/** A key of a tier whose limits are fixed. */
export function keyOfTier(key: string, tier: Exclude<Tier, 'enterprise'>, disabled = false): KeyEntry {
  return { key: validKey(key, 'a key'), limits: tierLimits[tier], disabled };
}

/**
 * Reads a JSON array of `{ key, tier: "free" | "pro" | "enterprise", disabled?, limits?, tokensUsed?, webhook? }`.
 * Limits are `{ requestsPerMinute, tokensPerDay, concurrent }`: all three for enterprise, else those that differ from
 * the tier's. `tokensUsed` are tokens that count as used today. A webhook is `{ webhook_url, events?, secret? }`; see
 * {@link parseWebhook}.
 * @throws BadKeys
 */
export function readKeyFile(path: string): readonly KeyEntry[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new BadKeys(`cannot read the keys: ${error instanceof Error ? error.message : error}`);
  }
  return parseKeys(text, path);
}

export function parseKeys(text: string, path: string): readonly KeyEntry[] {
  const list = parse(text);
  if (!Array.isArray(list) || list.length === 0) {
    throw new BadKeys(`${path} must hold a JSON array with at least one entry such as {"key": "…", "tier": "free"}`);
  }
  const entries = list.map((entry, index) => parseEntry(entry, `entry ${index + 1} of ${path}`));
  const repeated = entries.findIndex(({ key }, index) => entries.findIndex((other) => other.key === key) < index);
  if (repeated !== -1) throw new BadKeys(`entry ${repeated + 1} of ${path} has the same key as an entry before it`);
  return entries;
}

/** A parser's own message would quote the text, and so a key. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseEntry(entry: unknown, where: string): KeyEntry {
  const known = ['key', 'tier', 'disabled', 'limits', 'tokensUsed', 'webhook'];
  const { key, tier, disabled = false, limits = {}, tokensUsed, webhook } = members(entry, known, where);
  if (typeof disabled !== 'boolean') throw new BadKeys(`disabled in ${where} must be true or false`);
  return {
    key: validKey(key, `key in ${where}`),
    limits: parseLimits(limits, validTier(tier, where), where),
    disabled,
    ...(tokensUsed !== undefined && { tokensUsed: wholeNumber(tokensUsed, `tokensUsed in ${where}`) }),
    ...(webhook !== undefined && { webhook: validWebhook(webhook, `webhook of ${where}`) }),
  };
}

function wholeNumber(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw new BadKeys(`${what} must be a whole number of at least 1`);
}

function validWebhook(value: unknown, where: string): WebhookTarget {
  const { webhook_url, events, secret } = members(value, ['webhook_url', 'events', 'secret'], where);
  try {
    return parseWebhook({ webhook_url, events, secret }, where);
  } catch (error) {
    throw error instanceof BadWebhook ? new BadKeys(error.message) : error;
  }
}

function validKey(key: unknown, where: string): string {
  if (typeof key === 'string' && /^[!-~]+$/.test(key)) return key;
  throw new BadKeys(`${where} must be a string of visible ASCII characters, since a header carries it`);
}

function validTier(tier: unknown, where: string): Tier {
  const valid = tiers.find((known) => known === tier);
  if (valid === undefined) throw new BadKeys(`tier in ${where} must be one of ${tiers.join(', ')}`);
  return valid;
}

function parseLimits(value: unknown, tier: Tier, where: string): Limits {
  const limits = members(value, ['requestsPerMinute', 'tokensPerDay', 'concurrent'], `limits of ${where}`);
  const limit = (name: keyof Limits) => {
    const given = limits[name] ?? (tier === 'enterprise' ? undefined : tierLimits[tier][name]);
    if (typeof given === 'number' && Number.isSafeInteger(given) && given > 0) return given;
    const which = tier === 'enterprise' ? ', and an enterprise key gives all three limits' : '';
    throw new BadKeys(`limits.${name} in ${where} must be a whole number of at least 1${which}`);
  };
  return {
    requestsPerMinute: limit('requestsPerMinute'),
    tokensPerDay: limit('tokensPerDay'),
    concurrent: limit('concurrent'),
  };
}

/** The members of an object, none of which may be unknown. An unknown one is not named: it might be a key. */
function members(value: unknown, known: readonly string[], where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && Object.keys(value).every((name) => known.includes(name))) {
    return { ...value };
  }
  throw new BadKeys(`${where} must be an object with no other members than ${known.join(', ')}`);
}
