import { setTimeout as sleep } from 'node:timers/promises';
import type { Wording } from '../engine/job.ts';
import type { SocketChats } from '../socket-chats.ts';
import type { Answer, Contact } from '../target.ts';
import { chatBody, chatWords } from './chat-words.ts';
import { limitState, slackMs } from './limit-state.ts';

/** What the checks of a tier share. */
export interface TierKey {
  readonly contact: Contact;
  readonly wording: Wording;
  /** For the part that is spent over sockets; absent where the profile opens none. */
  readonly sockets?: SocketChats | undefined;
  /** Why the profile asks for sockets, and there are none. */
  readonly noSockets?: string | undefined;
  /** Whether `done` reports the tokens of a chat over a socket. */
  readonly isSocketUsageKnown?: boolean;
  /** Asks with another key of the tier, which has spent none of its tokens either. */
  readonly second?: Contact | undefined;
  /** Whether the keys are known to have spent no tokens today but by this run. */
  readonly isFresh?: boolean | undefined;
  /** Of the request limit. */
  readonly windowSeconds: number;
  readonly signal: AbortSignal;
  /** Tells of a wait. */
  readonly say: (line: string) => void;
  /** Shows what goes on. */
  readonly show: (line: string) => void;
}

/** @param members of the chat, beside the usual ones */
export function shortChat(key: TierKey, members: object = {}): Promise<Answer> {
  return key.contact.ask('POST', '/chat/completions', { ...chatBody(key.wording, 1), ...members });
}

/** A whole chat over a socket, of which only the status counts. */
export async function socketChat({ contact, sockets }: TierKey, maxTokens = 1): Promise<number> {
  if (sockets === undefined) throw new Error('this profile opens no sockets');
  const { status, tokens = 0 } = await sockets.chat(chatWords(maxTokens));
  contact.spend(tokens);
  return status;
}

/** Waits until no request of this run counts any more, in windows of whatever shape. */
export async function freshWindow(key: TierKey): Promise<void> {
  const { resetAt } = await readState(key);
  const { windowSeconds } = key;
  const own = windowSeconds * 1000;
  // A header that names a time beyond a window is wrong, and judged where answers are.
  const told = resetAt === undefined ? own : Math.min(resetAt - Date.now(), own + 1_000);
  await pause(key, Math.max(own, told) + slackMs, 'so that the whole limit is there');
}

/** Waits until the limit leaves room for a number of requests, or is whole. @returns how many it leaves then */
export async function roomFor(key: TierKey, requests: number): Promise<number> {
  const { remaining = Number.POSITIVE_INFINITY, limit = remaining } = await readState(key);
  if (remaining >= requests) return remaining;
  await freshWindow(key);
  return limit;
}

/** Whether no request is left; waits, if so, until some are again. */
export async function waitForRequests(key: TierKey): Promise<boolean> {
  const { remaining, resetAt = Date.now() } = await readState(key);
  if (remaining !== 0) return false;
  await pause(
    key,
    Math.min(resetAt - Date.now(), key.windowSeconds * 1000) + slackMs,
    'as the limit of requests is spent',
  );
  return true;
}

async function readState({ contact }: TierKey) {
  return limitState(await contact.ask('GET', '/models'));
}

/** Waits, and tells how long and why. */
export async function pause({ signal, say, show }: TierKey, ms: number, why: string): Promise<void> {
  const end = performance.now() + ms;
  if (ms >= 1_000) say(`waiting ${Math.ceil(ms / 1000)} s, ${why}`);
  for (let left = ms; left > 1_000; left = end - performance.now()) {
    show(`${Math.ceil(left / 1000)} s left to wait`);
    await sleep(1_000, undefined, { signal });
  }
  await sleep(Math.max(0, end - performance.now()), undefined, { signal });
}
