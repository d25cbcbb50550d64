import type { Exchange, Failure } from '../../specs/evidence.ts';
import { limitHeader } from '../limit-headers.ts';
import { member } from '../member.ts';
import { type Reply, readReply } from '../reply.ts';
import { printable } from '../report/printable.ts';
import { countRequests, estimateTokens, sentRequests, spentTokens } from './budget.ts';
import { type Clock, systemClock } from './clock.ts';
import { openPace } from './pace.ts';
import { BudgetSpent, TargetSilent, type Wire, type WireRequest } from './wire.ts';

export interface GovernorSettings {
  /** Requests under way at once, at most. */
  readonly concurrency: number;
  readonly maxRequests?: number | undefined;
  /** Tokens of prompts and completions together. */
  readonly maxTokens?: number | undefined;
  /** Told in one line when the run has to wait. */
  readonly notify?: ((line: string) => void) | undefined;
  readonly clock?: Pick<Clock, 'now' | 'sleep'> | undefined;
}

/** Failures in a row, with no response at all, after which a target is left alone. */
const patience = 3;
const unanswered = new Set<Failure['kind']>(['refused', 'tls', 'timeout']);

interface Waiting {
  readonly request: WireRequest;
  readonly tokens: number;
  resolve(exchange: Exchange): void;
  reject(error: unknown): void;
}

/**
 * Sends the requests of a wire in the order in which they were asked for: never more at once than `concurrency`,
 * inside the rate limit that the target tells, and never past the bounds on requests and tokens ({@link BudgetSpent}).
 * A target that stopped answering is left alone ({@link TargetSilent}). What asks for it waits for neither of the first
 * two.
 *
 * A 429 comes back like any response; what is sent after it waits for the time that it names, so the
 * caller may just send again, as a further step of its probe.
 */
export function govern(wire: Wire, settings: GovernorSettings): Wire {
  const { maxRequests = Infinity, maxTokens = Infinity, notify, clock = systemClock } = settings;
  const pace = openPace();
  const queue: Waiting[] = [];
  let { concurrency } = settings;
  let inFlight = 0;
  let requests = 0;
  let tokens = 0;
  let failures = 0;
  let silence: TargetSilent | undefined;
  let asleep = false;

  function pump(): void {
    while (queue[0] && (inFlight < concurrency || queue[0].request.atOnce) && !asleep) {
      const next = queue[0];
      const spent = spentBound(next);
      // What is under way may turn out cheaper than it was counted.
      if (spent && !silence && inFlight > 0) return;
      const refusal = silence ?? spent;
      const more = countRequests(next.request) - 1;
      const wait = refusal || next.request.unpaced ? 0 : pace.wait(clock.now(), inFlight, more);
      if (wait === Infinity) return;
      if (wait > 0) {
        void pause(wait);
        return;
      }
      queue.shift();
      if (refusal) next.reject(refusal);
      else void start(next);
    }
  }

  function spentBound(next: Waiting): BudgetSpent | undefined {
    if (requests + countRequests(next.request) > maxRequests) {
      return new BudgetSpent(`the bound of ${maxRequests} requests is reached; --max-requests raises it`);
    }
    if (tokens + next.tokens <= maxTokens) return undefined;
    const left = maxTokens - tokens;
    return new BudgetSpent(
      `a request of up to ${next.tokens} tokens does not fit the ${left} left of ${maxTokens}; --max-tokens raises the bound`,
    );
  }

  async function pause(wait: number): Promise<void> {
    asleep = true;
    notify?.(`waiting ${Math.ceil(wait / 1000)} s for the rate limit window`);
    await clock.sleep(wait);
    asleep = false;
    pump();
  }

  async function pauseUntil(moment: number): Promise<void> {
    const wait = moment - clock.now();
    if (wait >= 1000) notify?.(`waiting ${Math.ceil(wait / 1000)} s, as a probe asks for`);
    await clock.sleep(wait);
  }

  async function start({ request, tokens: estimate, resolve, reject }: Waiting): Promise<void> {
    inFlight += 1;
    requests += countRequests(request);
    tokens += estimate;
    try {
      const exchange = await wire.send(request);
      const reply = readReply(exchange);
      tokens += spentTokens(reply, estimate) - estimate;
      requests += sentRequests(reply) - countRequests(request);
      pace.learn(reply);
      // Refused though requests are left: the target runs fewer of them at a time.
      if (
        reply.status === 429 &&
        !request.atOnce &&
        request.credential === 'key' &&
        (limitHeader(reply, 'remaining') ?? 0) > 0 &&
        concurrency > 1
      ) {
        concurrency = Math.floor(concurrency / 2);
        notify?.(`a request was refused though some remain${wordsOf(reply)}: going on with ${concurrency} at a time`);
      }
      watch(exchange);
      resolve(exchange);
    } catch (error) {
      reject(error);
    }
    inFlight -= 1;
    pump();
  }

  function watch({ failure, response }: Exchange): void {
    failures = failure && !response && unanswered.has(failure.kind) ? failures + 1 : 0;
    if (failure && failures >= patience) {
      silence = new TargetSilent(`the target gave no response ${patience} times in a row (${failure.message})`);
    }
  }

  return {
    async send(request) {
      const { notBefore } = request;
      if (notBefore !== undefined && notBefore > clock.now()) await pauseUntil(notBefore);
      return new Promise((resolve, reject) => {
        queue.push({ request, tokens: estimateTokens(request), resolve, reject });
        pump();
      });
    },
    close: () => wire.close(),
  };
}

/** What a refusal says, in brackets; empty where it says nothing. */
function wordsOf({ json }: Reply): string {
  const message = member(json, 'error', 'message');
  return typeof message === 'string' ? ` (${printable(message.slice(0, 120))})` : '';
}
