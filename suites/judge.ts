import { documentHeadings } from '../specs/document.ts';
import type { Finding, Result, Verdict } from '../specs/report.ts';
import type { Level } from '../specs/requirement.ts';
import { type RequirementId, requirements } from '../specs/requirements/index.ts';
import { reproduce } from './curl.ts';
import { reproduceDialog } from './dialog-script.ts';
import { deliveryExcerpt, excerpt } from './excerpt.ts';
import { type Breach, Inconclusive, NotApplicable, Violation } from './expect.ts';
import { declaredLackOf, lackOf } from './lacking.ts';
import type { Context } from './probe.ts';
import type { Reply } from './reply.ts';
import { NotSent } from './transport/wire.ts';
import { exchangeRules, wholeRunRules } from './universal/index.ts';

/** What came of one probe: its judgements, or why it could not be carried out. */
export type Observation =
  | { readonly judgements: ReadonlyMap<RequirementId, () => undefined> }
  | { readonly ids: readonly RequirementId[]; readonly error: unknown };

export interface Seen {
  readonly observations: readonly Observation[];
  /** Every exchange of the run, in the order of probes and steps. */
  readonly replies: readonly Reply[];
  readonly context: Context;
}

interface Decision {
  readonly verdict: Verdict;
  readonly observed: number;
  readonly reason?: string;
  readonly breaches?: readonly Breach[];
}

/** A report shows this many findings of a requirement and counts the rest. */
const mostFindings = 3;

const broken: Readonly<Record<Level, Verdict>> = { MUST: 'fail', SHOULD: 'warn', MAY: 'note' };

/**
 * Decides one requirement by all that a run saw. Pure.
 * @param onFault is told of errors that are the suite's own
 */
export function judgeRequirement(id: RequirementId, seen: Seen, onFault: (error: unknown) => void): Result {
  const { level, statement, source } = requirements[id];
  const { verdict, observed, reason, breaches = [] } = decide(id, seen, onFault);
  return {
    id,
    level,
    verdict,
    statement,
    source: { id: source, title: documentHeadings[source].title },
    observed,
    ...(reason === undefined ? {} : { reason }),
    findings: breaches.slice(0, mostFindings).map((breach) => finding(id, breach, seen.context)),
    findingsTotal: breaches.length,
  };
}

function decide(id: RequirementId, seen: Seen, onFault: (error: unknown) => void): Decision {
  const { level } = requirements[id];
  const { options, baseline } = seen.context;
  const lack = lackOf(id, options) ?? declaredLackOf(id, baseline);
  if (lack !== undefined) return { verdict: 'not-applicable', observed: 0, reason: lack };
  const rule = exchangeRules[id];
  if (rule) {
    const replies = seen.replies.filter(rule.applies);
    if (replies.length === 0) {
      return rule.absent === undefined
        ? { verdict: 'inconclusive', observed: 0, reason: 'the run saw no exchange that this is about' }
        : { verdict: 'not-applicable', observed: 0, reason: rule.absent };
    }
    const decisions = replies.map((reply) => attempt(level, () => rule.judge(reply, seen.context), onFault));
    return { ...worst(decisions), observed: replies.length };
  }
  const whole = wholeRunRules[id];
  if (whole) return { ...attempt(level, () => whole(seen.replies), onFault), observed: seen.replies.length };

  for (const observation of seen.observations) {
    if ('error' in observation) {
      if (observation.ids.includes(id)) return attempt(level, () => rethrow(observation.error), onFault);
    } else {
      const judgement = observation.judgements.get(id);
      if (judgement) return attempt(level, judgement, onFault);
    }
  }
  return { verdict: 'inconclusive', observed: 0, reason: 'no probe that shows it was run' };
}

function rethrow(error: unknown): never {
  throw error;
}

function attempt(level: Level, judgement: () => undefined, onFault: (error: unknown) => void): Decision {
  try {
    judgement();
    return { verdict: 'pass', observed: 1 };
  } catch (error) {
    if (error instanceof Violation) return { verdict: broken[level], observed: 1, breaches: error.breaches };
    if (error instanceof NotApplicable) return { verdict: 'not-applicable', observed: 0, reason: error.message };
    if (error instanceof Inconclusive || error instanceof NotSent) {
      return { verdict: 'inconclusive', observed: 0, reason: error.message };
    }
    onFault(error);
    const reason = error instanceof Error ? error.message : String(error);
    return { verdict: 'error', observed: 0, reason };
  }
}

/** Of verdicts on several exchanges: a breach anywhere decides, then a fault of the suite, then what was not seen. */
function worst(decisions: readonly Decision[]): Decision {
  const breaches = decisions.flatMap(({ breaches: own = [] }) => own);
  const breaking = decisions.find(({ breaches: own = [] }) => own.length > 0);
  if (breaking) return { ...breaking, breaches };
  const of = (verdict: Verdict) => decisions.find((decision) => decision.verdict === verdict);
  return of('error') ?? of('inconclusive') ?? of('pass') ?? { verdict: 'not-applicable', observed: 0 };
}

function finding(
  id: RequirementId,
  { reply, delivery, subject, expected, actual }: Breach,
  { options }: Context,
): Finding {
  const { request } = reply.exchange;
  return {
    subject,
    expected,
    actual,
    ...(delivery && { delivery: deliveryExcerpt(delivery) }),
    exchange: excerpt(reply, options.url),
    reproduce: request.dialog ? reproduceDialog(id, request, options) : reproduce(request, options.url),
  };
}
