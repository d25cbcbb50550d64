import { setTimeout as sleep } from 'node:timers/promises';
import type { Wording } from '../engine/job.ts';
import { randomFrom } from '../engine/random.ts';
import { promptOf } from '../engine/wording.ts';
import type { Answer, Contact } from '../target.ts';
import { limitState } from './limit-state.ts';

/** What the checks of a tier share. */
export interface TierKey {
  readonly contact: Contact;
  readonly wording: Wording;
  /** Of the request limit. */
  readonly windowSeconds: number;
  readonly signal: AbortSignal;
  /** Tells of a wait. */
  readonly say: (line: string) => void;
}

/** How late a window may end: resets are whole seconds, of a clock that need not be ours. */
export const slackMs = 2_000;

/** A chat body of a few prompt tokens. */
export function chatBody({ wording }: TierKey, maxTokens: number): object {
  const messages = [{ role: 'user', content: promptOf(8, randomFrom(29)) }];
  // At temperature 0 models seldom end by themselves.
  return { model: wording.model, messages, max_tokens: maxTokens, temperature: 0 };
}

export function shortChat(key: TierKey, maxTokens = 1): Promise<Answer> {
  return key.contact.ask('POST', '/chat/completions', chatBody(key, maxTokens));
}

/** Waits until no request of this run counts any more, in windows of whatever shape. */
export async function freshWindow(key: TierKey): Promise<void> {
  const { resetAt } = limitState(await key.contact.ask('GET', '/models'));
  const { windowSeconds } = key;
  const own = windowSeconds * 1000;
  // A header that names a time beyond a window is wrong, and judged where answers are.
  const told = resetAt === undefined ? own : Math.min(resetAt - Date.now(), own + 1_000);
  await pause(key, Math.max(own, told) + slackMs, 'so that the whole limit is there');
}

/** Waits until the limit leaves room for a number of requests. */
export async function roomFor(key: TierKey, requests: number): Promise<void> {
  const { remaining } = limitState(await key.contact.ask('GET', '/models'));
  if (remaining === undefined || remaining >= requests) return;
  await freshWindow(key);
}

export async function pause({ signal, say }: TierKey, ms: number, why: string): Promise<void> {
  if (ms >= 1_000) say(`waiting ${Math.ceil(ms / 1000)} s, ${why}`);
  await sleep(Math.max(0, ms), undefined, { signal });
}
