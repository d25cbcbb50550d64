import type { RunOptions } from '../specs/evidence.ts';
import { profiles } from '../specs/profiles.ts';
import { type Outcome, type Report, type Result, reportFormat, type Verdict } from '../specs/report.ts';
import { bodiesOf } from './chunks.ts';
import { dialectOf } from './dialect.ts';
import { member } from './member.ts';
import type { Reply } from './reply.ts';
import { countVerdicts } from './report/outcome.ts';
import { sentRequests } from './transport/budget.ts';

interface Run {
  readonly options: RunOptions;
  readonly tool: string;
  readonly startedAt: string;
}

/** Puts the results of a run together. Pure: the same evidence gives the same report. */
export function composeReport(
  { options, tool, startedAt }: Run,
  model: string,
  replies: readonly Reply[],
  results: readonly Result[],
): Report {
  const { name, digest, ids } = profiles[options.profile];
  const counts = countVerdicts(results);
  return {
    format: reportFormat,
    tool,
    target: { url: options.url, model },
    profile: { name, digest, requirements: ids.length },
    only: options.only,
    without: options.without ?? [],
    startedAt,
    durationMs: Math.round(Math.max(...replies.map(({ exchange }) => exchange.endedAt))),
    cost: {
      requests: replies.reduce((sum, reply) => sum + sentRequests(reply), 0),
      promptTokens: countTokens(replies, 'prompt_tokens'),
      completionTokens: countTokens(replies, 'completion_tokens'),
    },
    outcome: outcomeOf(counts),
    counts,
    dialect: dialectOf(replies),
    results,
  };
}

/** Tokens by the target's own count, which streams mostly leave out. */
function countTokens(replies: readonly Reply[], name: 'prompt_tokens' | 'completion_tokens'): number {
  const isCount = (count: unknown): count is number => typeof count === 'number';
  // Where every chunk of a stream counts, the last one counts all.
  const counts = replies.flatMap((reply) => {
    const bodies = bodiesOf(reply).map((body) => member(body, 'usage', name));
    // Each done of a socket counts its own generation.
    return [bodies.findLast(isCount), ...reply.messages.map(({ json }) => member(json, 'usage', name)).filter(isCount)];
  });
  return counts.reduce<number>((sum, count = 0) => sum + count, 0);
}

function outcomeOf(counts: Readonly<Record<Verdict, number>>): Outcome {
  if (counts.error > 0) return 'suite-error';
  if (counts.fail > 0) return 'non-conformant';
  return counts.inconclusive > 0 || counts.pass + counts.warn + counts.note === 0 ? 'incomplete' : 'conformant';
}
