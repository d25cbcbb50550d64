import { setTimeout as sleep } from 'node:timers/promises';
import type { TierCheck } from '../../specs/wire.ts';
import type { Contact } from '../target.ts';
import { limitState } from './limit-state.ts';
import { chatBody, pause, slackMs, socketChat, type TierKey } from './tier-key.ts';
import { countStatuses, decided, undecided } from './verdict.ts';

/** Output tokens of a request that spends. */
const largest = 3_000;

/** Chats of one output token that are left for the end, so that an answer which ends early can be made up for. */
const lastChats = 8;

/** What was spent may be counted a moment after its answer has ended. */
const countMs = 500;

/** A key whose tokens are spent. */
interface Purse {
  readonly contact: Contact;
  readonly statuses: number[];
  /** Tokens of the prompt of every chat, once one was answered. */
  prompt: number | undefined;
  /** Output tokens at most; less where the target refuses so many. */
  largest: number;
  /** Chats that are to go over a socket. */
  overSockets: number;
  /** Whether the target refuses a chat that could go beyond the limit; some only refuse what comes after. */
  reserves: boolean | undefined;
}

/** Why a purse was not spent to the goal. */
type Stop =
  /** A chat that is worth so much was refused. */
  { readonly kind: 'refused'; readonly worth: number } | { readonly kind: 'open'; readonly reason: string };

/**
 * Spends a whole day's tokens, some of them over sockets, so that they end on the limit: until then everything is
 * admitted, and then nothing, which shows that the limit is not higher. Whether it is lower by less than a chat costs, a
 * second key shows, spent but for one token: it still admits a chat. Where the target refuses what could go beyond the
 * limit, one key shows both. Takes keys that have spent nothing today.
 */
export async function checkTokens(key: TierKey, limit: number | undefined): Promise<TierCheck> {
  if (limit === undefined)
    return undecided('tokens', 'no limit is stated: give limits.tokensPerDay in a profile of your own');
  const { isSocketUsageKnown = true } = key;
  const purse = purseOf(key.contact, key.sockets && isSocketUsageKnown ? 1 : 0);
  const result = (broken: readonly string[], open: readonly string[] = []) => {
    const counted = countStatuses(purse.statuses);
    const expected = { limit, expected: counted.admitted };
    if (!isSocketUsageKnown) {
      const unknown = 'a chat over a socket reports no usage, so that what was spent is not known to a token';
      return decided('tokens', expected, counted, [], [...broken, ...open, unknown]);
    }
    const restOnly = key.noSockets === undefined ? [] : [`only REST was spent: ${key.noSockets}`];
    return decided('tokens', expected, counted, broken, [...open, ...restOnly]);
  };
  const stop = await spendTo(key, purse, limit);
  if (stop?.kind === 'open') return result([], [stop.reason]);
  if (stop?.kind === 'refused') {
    const spent = key.contact.spentTokens;
    return result(...tooLow(key, `a request of ${stop.worth} tokens is refused with ${spent} of ${limit} spent`));
  }
  await sleep(countMs, undefined, { signal: key.signal });
  const beyond = await chat(key, purse, 1);
  if (beyond === 200) return result([`a request is admitted with ${limit} of ${limit} tokens spent`]);
  if (beyond !== 429) return result([]);
  if (key.sockets) {
    const status = await socketChat(key);
    purse.statuses.push(status);
    if (status === 200) return result([`a chat over a socket is admitted with ${limit} of ${limit} tokens spent`]);
  }
  if (purse.reserves) return result([]);
  return result(...(await lowerSide(key, limit)));
}

/** What a second key shows of a limit that is lower than stated by less than a chat costs. */
async function lowerSide(key: TierKey, limit: number): Promise<[broken: string[], open: string[]]> {
  if (key.second === undefined) {
    const reason = `that the limit is not lower than ${limit} by less than a chat costs is seen with a --second-key alone`;
    return [[], [reason]];
  }
  const purse = purseOf(key.second, 0);
  const stop = await spendTo(key, purse, limit - 1);
  if (stop?.kind === 'open') return [[], [`the second key: ${stop.reason}`]];
  const spent = key.second.spentTokens;
  if (stop === undefined) {
    await sleep(countMs, undefined, { signal: key.signal });
    const last = await chat(key, purse, 1);
    if (last === 200) return [[], []];
    if (last !== 429) return [[], [`the last chat of the second key was answered with ${last}`]];
  }
  return tooLow(key, `the second key is refused with ${spent} of ${limit} tokens spent`);
}

/** A refusal before the limit: that of the target, if the key has spent nothing elsewhere. */
function tooLow({ isFresh }: TierKey, words: string): [broken: string[], open: string[]] {
  if (isFresh) return [[`${words}: the limit is lower`], []];
  return [[], [`${words}: the limit is lower, unless the key spent others today; --fresh-key says that it did not`]];
}

function purseOf(contact: Contact, overSockets: number): Purse {
  return { contact, statuses: [], prompt: undefined, largest, overSockets, reserves: undefined };
}

/** Ends an answer that may be long after a word or two. */
const soon = { stop: [' ', 'e', 'a', 'o'] };

/** Spends until a purse has spent so much, exactly. */
async function spendTo(key: TierKey, purse: Purse, goal: number): Promise<Stop | undefined> {
  for (;;) {
    const { prompt, contact } = purse;
    const left = goal - contact.spentTokens;
    if (left === 0) return undefined;
    const maxTokens = prompt === undefined ? 1 : nextLength(left, prompt, purse.largest);
    if (maxTokens === undefined) {
      return {
        kind: 'open',
        reason: `${left} tokens are left after answers that ended early, and no chat costs so few`,
      };
    }
    const before = contact.spentTokens;
    if (prompt !== undefined && purse.reserves === undefined && isNear(left, prompt)) {
      // One token more than is left, if it were written to its end.
      const status = await chat(key, purse, left - prompt + 1, soon);
      purse.reserves = status === 429;
      if (status !== 200 && status !== 429) return { kind: 'open', reason: `a chat was answered with ${status}` };
      continue;
    }
    const status = await chat(key, purse, maxTokens);
    if (status === 400 && maxTokens > 50) {
      // No model writes so much.
      purse.largest = Math.floor(maxTokens / 2);
      purse.statuses.pop();
      continue;
    }
    if (status === 429) return { kind: 'refused', worth: (prompt ?? 0) + maxTokens };
    if (status !== 200) return { kind: 'open', reason: `a chat was answered with ${status}` };
    const usage = contact.spentTokens - before;
    if (usage === 0) return { kind: 'open', reason: 'answers report no usage, so that nobody knows what was spent' };
    purse.prompt ??= usage - 1;
  }
}

/**
 * The output tokens of the next chat on the way to an exact sum: many, then as few as make what is left a multiple of
 * the cheapest chat, then one after the other of that.
 */
export function nextLength(left: number, prompt: number, most: number): number | undefined {
  const cheapest = prompt + 1;
  if (left < cheapest) return undefined;
  if (!isNear(left, prompt)) return Math.min(most, left - lastChats * cheapest - prompt);
  return 1 + (left % cheapest);
}

/** Whether no more is left than a few of the cheapest chats. */
function isNear(left: number, prompt: number): boolean {
  return left <= (lastChats + 1) * (prompt + 1);
}

/** The status of a chat; waits where only the requests of the minute are spent. */
async function chat(key: TierKey, purse: Purse, maxTokens: number, members: object = {}): Promise<number> {
  for (;;) {
    if (purse.overSockets > 0 && purse.prompt !== undefined && !isNear(maxTokens, purse.prompt)) {
      purse.overSockets -= 1;
      const status = await socketChat(key, maxTokens);
      purse.statuses.push(status);
      return status;
    }
    const answer = await purse.contact.ask('POST', '/chat/completions', { ...chatBody(key, maxTokens), ...members });
    const { remaining, resetAt } = limitState(answer);
    if (answer.status !== 429 || remaining !== 0 || !isWindow(resetAt, key.windowSeconds)) {
      purse.statuses.push(answer.status);
      return answer.status;
    }
    await pause(key, (resetAt ?? 0) - Date.now() + slackMs, 'as the limit of requests is spent');
  }
}

/** Whether a reset is that of the window of requests, not of the day. */
function isWindow(resetAt: number | undefined, windowSeconds: number): boolean {
  return resetAt !== undefined && resetAt - Date.now() <= (windowSeconds + 5) * 1000;
}
