import { expect } from 'vitest';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import { inHeaders, membersOf } from '../../reference-server/change.ts';
import { problemsOf } from '../../specs/validate.ts';
import type { TierCheck, TierProfile } from '../../specs/wire.ts';
import { openTarget, secondKey, unlimited } from '../engine/test-rig.ts';
import { findKeyPlace } from '../find-key-place.ts';
import { Contact, learnWording } from '../target.ts';
import { measureTier } from './measure-tier.ts';

export const limits = { requestsPerMinute: 12, concurrent: 3, tokensPerDay: 1_000_000 };

export interface Trial {
  readonly checks: TierProfile['checks'];
  /** Of the server's key, where they differ from the stated ones. */
  readonly served?: Partial<typeof limits>;
  readonly behaviour?: Behaviour;
  readonly windowSeconds?: number;
  readonly tokensPerSecond?: number;
  readonly ttftMs?: number;
  readonly interruption?: AbortController;
  readonly stated?: TierProfile['limits'];
  /** Whether a part goes over sockets. */
  readonly sockets?: boolean;
  /** Whether another server answers sockets, with counts of its own. */
  readonly socketsApart?: boolean;
  /** Whether there is a second key. */
  readonly second?: boolean;
  readonly isFresh?: boolean;
}

/** Makes the first check of a trial, on a server on which the stated limits hold, but for what the trial changes. */
export async function check({
  checks,
  served,
  behaviour = {},
  windowSeconds = 4,
  tokensPerSecond = 20,
  ttftMs = 0,
  stated = limits,
  sockets = false,
  socketsApart = false,
  second = false,
  isFresh = false,
  interruption = new AbortController(),
}: Trial) {
  const { endpoint, close } = await openTarget({
    behaviour,
    windowSeconds,
    tokensPerSecond,
    ttftMs,
    limits: { ...limits, ...served },
  });
  const { signal } = interruption;
  const contact = new Contact(endpoint, signal);
  const workload = { promptTokens: 8, outputTokens: 1, transports: { json: 1, ...(sockets && { websocket: 1 }) } };
  const apart = socketsApart ? await openTarget({ behaviour, tokensPerSecond, limits: unlimited }) : undefined;
  const profile: TierProfile = {
    kind: 'tier',
    name: 'trial',
    description: '',
    workload,
    tier: 'enterprise',
    limits: { ...stated, windowSeconds },
    checks,
  };
  expect(problemsOf('load-profile', profile)).toEqual([]);
  try {
    const wording = await learnWording(contact, workload, undefined);
    const socketEndpoint = apart?.endpoint ?? endpoint;
    const found = await findKeyPlace(socketEndpoint, wording, signal);
    const { tier = [], outcome } = await measureTier(profile, {
      endpoint: socketEndpoint,
      contact,
      wording: { ...wording, ...(found && { keyPlace: found.place }) },
      found,
      secondKey: second ? secondKey : undefined,
      isFresh,
      signal,
      view: { say: () => {}, show: () => {} },
    });
    return { outcome, made: tier[0] as TierCheck };
  } finally {
    await contact.close();
    await apart?.close();
    await close();
  }
}

/** A member of a chat. */
export function asked(body: unknown, member: string): unknown {
  return membersOf(body)[member];
}

/** Keeps the places of some chats for good. */
export function keeping(isKept: (body: unknown, url: string) => boolean): Behaviour {
  return {
    place: (place, { body, url }) => (isKept(body, url) ? { ...place, release: async () => {} } : place),
  };
}

/** Headers that say what was promised, whatever is served, so that only the count gives it away. */
export function promising(limit: number): Behaviour {
  return inHeaders(({ allowance: { used } }) => ({
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Used': String(Math.min(limit, used)),
    'X-RateLimit-Remaining': String(Math.max(0, limit - used)),
  }));
}
