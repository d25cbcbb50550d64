import { need } from '../expect.ts';
import { limitHeader } from '../limit-headers.ts';
import type { Reply } from '../reply.ts';
import { timeOf, windowMs } from '../universal/limits.ts';
import { errorOf } from './error-identifiers.ts';
import { retryTime } from './waiting.ts';

/** Whether a 429 tells to wait for longer than the windows of the limit on requests last. */
function isForDay(reply: Reply): boolean {
  const until = retryTime(reply) ?? limitHeader(reply, 'reset');
  return reply.status === 429 && until !== undefined && (until - timeOf(reply)) * 1000 > 2 * windowMs;
}

/** Whether a 429 tells, by a time, a header or its words, that it is for tokens. */
export function isForTokens(reply: Reply): boolean {
  if (reply.status !== 429) return false;
  return isForDay(reply) || hasNoTokens(reply) || (aboutTokens.test(wordsOf(reply)) && !tellsOfOthers(reply));
}

/** Whether a 429 says in words that it is for what runs beside it. */
export function isForPlaces(reply: Reply): boolean {
  return reply.status === 429 && saysPlaces(wordsOf(reply));
}

/** Whether the words of a refusal say that it is for what runs at the same time. */
export function saysPlaces(words: string): boolean {
  return aboutPlaces.test(words) && !aboutTokens.test(words);
}

/** @throws Inconclusive where tokens ran out: such a refusal says nothing of other limits */
export function needTokens(reply: Reply): undefined {
  need(!isForTokens(reply), 'the tokens of the day are used up: try again when they are back, or give another key');
}

export const unnamed = 'the 429 does not tell for which limit it is, and may be for the tokens of the day';

/**
 * @param next a later chat
 * @throws Inconclusive where a refusal may be for tokens: they let no later chat pass
 */
export function needForPlaces(refused: Reply, next: Reply | undefined): undefined {
  need(refused.status !== 429 || isForPlaces(refused) || next?.status === 200, unnamed);
}

// A quota may be of anything, but for the one that OpenAI names so where all that was paid for is used up.
const aboutTokens = /tokens?\b|\binsufficient quota\b|\bdaily\b|\b(a|per) day\b/i;
const aboutRequests = /\brequests? (a|per) min|\brequests?[ _-]limit|\brpm\b/i;
const aboutPlaces = /concurren|same time|simultaneous|parallel|at once|at a time/i;

/** Words that name several limits tell nothing of which one it was. */
function tellsOfOthers(reply: Reply): boolean {
  const words = wordsOf(reply);
  return aboutRequests.test(words) || aboutPlaces.test(words);
}

function wordsOf(reply: Reply): string {
  const { message = '', code = '', type = '' } = errorOf(reply) ?? {};
  // An identifier joins its words by underscores.
  return `${message} ${code} ${type}`.replaceAll('_', ' ');
}

/** Whether a header that counts tokens says that none remain: the document has none, yet OpenAI-compatible servers do. */
function hasNoTokens({ exchange }: Reply): boolean {
  const headers = exchange.response?.headers ?? [];
  return headers.some(([name, value]) => /remaining.*tokens|tokens.*remaining/i.test(name) && /^\s*0+\s*$/.test(value));
}
