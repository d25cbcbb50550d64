import http, { type RefinedResponse, type ResponseType } from 'k6/http';
import { setTimeout } from 'k6/timers';
import type { Wording } from '../engine/job.ts';
import { defaultTimeoutSeconds } from '../engine/lane.ts';
import { parseObject } from '../engine/reading.ts';
import { askFor, membersOf } from '../engine/wording.ts';
import { steady } from '../tier/chat-words.ts';
import { type LimitState, limitState } from '../tier/limit-state.ts';
import type { FoundPlace } from './key-place.ts';
import { requestHeaders, settings, targetUrl } from './settings.ts';
import { TierSockets } from './tier-sockets.ts';

http.setResponseCallback(http.expectedStatuses(200, 429));

export interface Answer {
  readonly kind: 'admitted' | 'refused' | 'other';
  readonly status: number;
  /** Their names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  /** When it came, in epoch milliseconds. */
  readonly at: number;
  /** Tokens of prompt and answer together, where the answer reports them. */
  readonly tokens: number | undefined;
}

async function askForModels(): Promise<Answer> {
  return answerOf(await http.asyncRequest('GET', `${targetUrl()}/models`, null, params('preparation', 60)));
}

/** What a target takes of a tier's requests. */
export class TierTarget {
  readonly wording: Wording;
  /** For the part that is asked over sockets; absent where the profile opens none, or none is answered. */
  readonly sockets: TierSockets | undefined;
  /** Whether the profile asks for sockets, and there are none. */
  readonly lacksSockets: boolean;
  readonly #timeoutSeconds: number;

  /** @param found where the key of sockets is taken, if that was found out */
  constructor(wording: Wording, found: FoundPlace | undefined, timeoutSeconds = defaultTimeoutSeconds) {
    this.wording = wording;
    this.#timeoutSeconds = timeoutSeconds;
    const isWanted = (wording.workload.transports.websocket ?? 0) > 0;
    const isThere = settings.key === undefined || found !== undefined;
    const workload = { ...wording.workload, ...steady };
    const sockets = { ...wording, workload, ...(found && { keyPlace: found.place }) };
    this.sockets = isWanted && isThere ? new TierSockets(sockets, timeoutSeconds) : undefined;
    this.lacksSockets = isWanted && !isThere;
  }

  /** A chat of the workload. @param members of the request, other than the workload has them */
  chat(check: string, members: object = {}): Promise<Answer> {
    return this.ask(check, { ...membersOf(this.wording, askFor(this.wording, Math.random)), ...members });
  }

  /** @param key other than the run's */
  async ask(check: string, members: object, key?: string): Promise<Answer> {
    const url = `${targetUrl()}/chat/completions`;
    const sent = params(check, this.#timeoutSeconds, key);
    return answerOf(await http.asyncRequest('POST', url, JSON.stringify(members), sent));
  }
}

function params(check: string, timeoutSeconds: number, key?: string) {
  return { headers: requestHeaders(key), timeout: `${timeoutSeconds}s`, tags: { name: 'chat', check } };
}

function answerOf({ status, headers, body }: RefinedResponse<ResponseType | undefined>): Answer {
  const tokens: unknown = Object(parseObject(String(body))?.usage).total_tokens;
  return {
    kind: kindOf(status),
    status,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    at: Date.now(),
    tokens: typeof tokens === 'number' ? tokens : undefined,
  };
}

export function kindOf(status: number): Answer['kind'] {
  return status === 200 ? 'admitted' : status === 429 ? 'refused' : 'other';
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
  });
}

/** Requests of a fresh window that are the script's own: one that sets up, one that looks at the window. */
export const ownRequests = 2;

/**
 * Waits for a window in which nothing was used but by the script itself.
 * @returns the state of the window after the request that looked at it, and when that was sent, which may have begun it;
 * `undefined` where no headers tell it: nothing of it is used then
 */
export async function freshWindow(windowSeconds: number): Promise<(LimitState & { since: number }) | undefined> {
  for (let attempt = 0; ; attempt += 1) {
    const since = Date.now();
    const state = { ...limitState(await askForModels()), since };
    const { used, resetAt } = state;
    if (used === undefined || resetAt === undefined) {
      await wait(windowSeconds * 1000 + 500);
      return undefined;
    }
    if (used <= ownRequests || attempt === 2) return state;
    await wait(Math.min(resetAt - Date.now(), windowSeconds * 1000) + 500);
  }
}

/** Runs a task so many times, at most so many at a time, and gives what came of each. */
export async function inParallel<Result>(
  count: number,
  atATime: number,
  task: () => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let begun = 0;
  const worker = async () => {
    while (begun < count) {
      begun += 1;
      results.push(await task());
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, atATime) }, worker));
  return results;
}
