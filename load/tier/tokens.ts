import type { Fault, FindingName } from './findings.ts';
import { type Headed, limitState, slackMs } from './limit-state.ts';

/** Output tokens of a request that spends. */
const largest = 3_000;

/** Chats of one output token that are left for the end, so that an answer which ends early can be made up for. */
const lastChats = 8;

/** What was spent may be counted a moment after its answer has ended. */
const countMs = 500;

/** A key whose tokens of the day are spent, as an engine asks with it. */
export interface Purse {
  /** What it has spent, as the answers report it. */
  spentTokens(): number;
  /** A chat in one JSON body. @param members of it, beside the usual ones */
  chat(maxTokens: number, members: object): Promise<Headed>;
  /** A chat over a socket, to its end; absent where none are opened. @returns its status */
  readonly chatOverSocket?: ((maxTokens: number) => Promise<number>) | undefined;
}

/** What a check of the tokens of a day needs of an engine. */
export interface TokenCheck {
  readonly limit: number;
  readonly first: Purse;
  /** Another key of the tier, of which none are spent over sockets. */
  readonly second: Purse | undefined;
  /** Whether the keys are known to have spent no tokens today but by this run. */
  readonly isFresh: boolean;
  /** Whether chats over sockets report what they cost. */
  readonly isSocketUsageKnown: boolean;
  /** Of the request limit. */
  readonly windowSeconds: number;
  pause(ms: number, why: string): Promise<void>;
  /** Is told of every chat that is admitted or refused, or neither, by its status. */
  count(status: number): void;
}

/** How far a purse was spent. */
interface Spending {
  readonly purse: Purse;
  /** Tokens of the prompt of every chat, once one was answered. */
  prompt: number | undefined;
  /** Output tokens at most; less where the target refuses so many. */
  largest: number;
  /** Chats that are to go over a socket. */
  overSockets: number;
  /** Whether the target refuses a chat that could go beyond the limit; some only refuse what comes after. */
  reserves: boolean | undefined;
}

type Found = Fault<FindingName>;

/** Why a purse was not spent to the goal. */
type Stop =
  /** A chat that is worth so much was refused. */
  { readonly kind: 'refused'; readonly worth: number } | { readonly kind: 'open'; readonly found: Found };

/**
 * Spends a whole day's tokens, some of them over sockets, so that they end on the limit: until then everything is
 * admitted, and then nothing, which shows that the limit is not higher. Whether it is lower by less than a chat costs, a
 * second key shows, spent but for one token: it still admits a chat. Where the target refuses what could go beyond the
 * limit, one key shows both. Takes keys that have spent nothing today.
 * @returns what breaks the limit, and what leaves it open; nothing where it holds
 */
export async function spendDay(check: TokenCheck): Promise<readonly Found[]> {
  const { limit, first, isSocketUsageKnown } = check;
  if (!isSocketUsageKnown) {
    const words = 'a chat over a socket reports no usage, so that what was spent is not known to a token';
    return [{ name: 'socket-usage-unknown', words }];
  }
  const spending = spendingOf(first, first.chatOverSocket ? 1 : 0);
  const stop = await spendTo(check, spending, limit);
  if (stop?.kind === 'open') return [stop.found];
  if (stop?.kind === 'refused') {
    const words = `a request of ${stop.worth} tokens is refused with ${first.spentTokens()} of ${limit} spent`;
    return [tooLow(check, words)];
  }
  await check.pause(countMs, '');
  const beyond = await chat(check, spending, 1);
  check.count(beyond);
  const all = `${limit} of ${limit} tokens spent`;
  if (beyond === 200) return [{ name: 'admitted-beyond-tokens', words: `a request is admitted with ${all}` }];
  if (beyond !== 429) return [strange(beyond)];
  if (first.chatOverSocket) {
    const status = await first.chatOverSocket(1);
    check.count(status);
    const words = `a chat over a socket is admitted with ${all}`;
    if (status === 200) return [{ name: 'socket-admitted-beyond-tokens', words }];
    if (status !== 429) return [strange(status)];
  }
  return spending.reserves ? [] : lowerSide(check);
}

/** What a second key shows of a limit that is lower than stated by less than a chat costs. */
async function lowerSide(check: TokenCheck): Promise<readonly Found[]> {
  const { limit, second } = check;
  if (second === undefined) {
    const words = `that the limit is not lower than ${limit} by less than a chat costs is seen with a --second-key alone`;
    return [{ name: 'no-second-key', words }];
  }
  const spending = spendingOf(second, 0);
  const stop = await spendTo(check, spending, limit - 1);
  if (stop?.kind === 'open') return [{ ...stop.found, words: `the second key: ${stop.found.words}` }];
  if (stop === undefined) {
    await check.pause(countMs, '');
    const last = await chat(check, spending, 1);
    check.count(last);
    if (last === 200) return [];
    if (last !== 429) return [strange(last)];
  }
  return [tooLow(check, `the second key is refused with ${second.spentTokens()} of ${limit} tokens spent`)];
}

/** A refusal before the limit: that of the target, if the key has spent nothing elsewhere. */
function tooLow({ isFresh }: TokenCheck, words: string): Found {
  if (isFresh) return { name: 'refused-early', words: `${words}: the limit is lower` };
  const unless = 'the limit is lower, unless the key spent others today; --fresh-key says that it did not';
  return { name: 'key-not-fresh', words: `${words}: ${unless}` };
}

function strange(status: number): Found {
  return { name: 'other-answers', words: `a chat was answered with ${status || 'neither an answer nor a refusal'}` };
}

function spendingOf(purse: Purse, overSockets: number): Spending {
  return { purse, prompt: undefined, largest, overSockets, reserves: undefined };
}

/** Ends an answer that may be long after a word or two. */
const soon = { stop: [' ', 'e', 'a', 'o'] };

/** Spends until a purse has spent so much, exactly. */
async function spendTo(check: TokenCheck, spending: Spending, goal: number): Promise<Stop | undefined> {
  const open = (found: Found): Stop => ({ kind: 'open', found });
  for (;;) {
    const { prompt, purse } = spending;
    const before = purse.spentTokens();
    const left = goal - before;
    if (left === 0) return undefined;
    const maxTokens = prompt === undefined ? 1 : nextLength(left, prompt, spending.largest);
    if (maxTokens === undefined) {
      const words = `${left} tokens are left after answers that ended early, and no chat costs so few`;
      return open({ name: 'tokens-left', words });
    }
    if (prompt !== undefined && spending.reserves === undefined && isNear(left, prompt)) {
      // One token more than is left, if it were written to its end.
      const status = await chat(check, spending, left - prompt + 1, soon);
      check.count(status);
      spending.reserves = status === 429;
      if (status !== 200 && status !== 429) return open(strange(status));
      continue;
    }
    const status = await chat(check, spending, maxTokens);
    if (status === 400 && maxTokens > 50) {
      // No model writes so much.
      spending.largest = Math.floor(maxTokens / 2);
      continue;
    }
    check.count(status);
    if (status === 429) return { kind: 'refused', worth: (prompt ?? 0) + maxTokens };
    if (status !== 200) return open(strange(status));
    const usage = purse.spentTokens() - before;
    if (usage === 0) {
      return open({ name: 'no-usage', words: 'answers report no usage, so that nobody knows what was spent' });
    }
    spending.prompt ??= usage - 1;
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
async function chat(check: TokenCheck, spending: Spending, maxTokens: number, members: object = {}): Promise<number> {
  const { purse, prompt } = spending;
  const { windowSeconds } = check;
  if (purse.chatOverSocket && spending.overSockets > 0 && prompt !== undefined && !isNear(maxTokens, prompt)) {
    spending.overSockets -= 1;
    return purse.chatOverSocket(maxTokens);
  }
  for (;;) {
    const answer = await purse.chat(maxTokens, members);
    const { remaining, resetAt } = limitState(answer);
    if (answer.status !== 429 || remaining !== 0 || !isWindow(resetAt, windowSeconds)) return answer.status;
    await check.pause((resetAt ?? 0) - Date.now() + slackMs, 'as the limit of requests is spent');
  }
}

/** Whether a reset is that of the window of requests, not of the day. */
function isWindow(resetAt: number | undefined, windowSeconds: number): boolean {
  return resetAt !== undefined && resetAt - Date.now() <= (windowSeconds + 5) * 1000;
}
