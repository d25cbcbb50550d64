import { isDeepStrictEqual } from 'node:util';
import { type MetricName, metrics } from '../../specs/metrics.ts';
import type { LoadResult } from '../../specs/wire.ts';
import type { SlicedMetric } from '../engine/timeline.ts';
import { short } from '../report/words.ts';
import { type Change, changeOf, type Estimate, percentileEstimate, rateEstimate, slicedValues } from './resample.ts';

type Timeline = NonNullable<LoadResult['timeline']>;

/** How a statistic fared. `unclear`: the runs are too short to tell. */
export type Verdict = 'better' | 'worse' | 'same' | 'unclear';

export interface Compared extends Change {
  readonly statistic: string;
  readonly verdict: Verdict;
}

export interface Comparison {
  readonly statistics: readonly Compared[];
  /** Why the runs cannot, or can hardly, be compared. */
  readonly warnings: readonly string[];
  /** `incomparable` where no verdict would be fair. */
  readonly verdict: 'no worse' | 'worse' | 'incomparable';
}

/** Fewer slices tell nothing of how a run varies. */
const leastSlices = 8;

/** The statistics that are compared, and the metric of each, in the order of a report. */
const compared = {
  ttft_p50: 'ttft',
  ttft_p95: 'ttft',
  tpot_p50: 'tpot',
  tpot_p95: 'tpot',
  e2e_p50: 'e2e',
  e2e_p95: 'e2e',
  output_token_rate: 'output_token_rate',
  request_rate: 'request_rate',
} as const satisfies Readonly<Record<string, MetricName>>;

type Statistic = keyof typeof compared;

/** How each statistic is estimated from some of a run's slices. */
function estimatesOf(timeline: Timeline): Readonly<Record<Statistic, Estimate>> {
  const percentileOf = (metric: SlicedMetric) => {
    const values = slicedValues(timeline.slices, metric);
    return (percentile: number) => percentileEstimate(values, percentile);
  };
  const [ttft, tpot, e2e] = [percentileOf('ttft'), percentileOf('tpot'), percentileOf('e2e')];
  return {
    ttft_p50: ttft(50),
    ttft_p95: ttft(95),
    tpot_p50: tpot(50),
    tpot_p95: tpot(95),
    e2e_p50: e2e(50),
    e2e_p95: e2e(95),
    output_token_rate: rateEstimate(timeline, ({ outputTokens }) => outputTokens),
    request_rate: rateEstimate(timeline, ({ succeeded }) => succeeded),
  };
}

/**
 * Compares two runs, statistic by statistic. One is worse where the whole 99% confidence interval of its change lies on
 * the worse side, and the change is larger than the margin. @param margin a share: 0.05
 */
export function compareRuns(before: LoadResult, after: LoadResult, margin: number): Comparison {
  const different = differences(before, after);
  const warnings = [...different, ...weaknesses(before, 'first'), ...weaknesses(after, 'second')];
  const incomparable = (reason: string): Comparison => ({
    statistics: [],
    warnings: [...warnings, reason],
    verdict: 'incomparable',
  });
  if (different.length > 0)
    return incomparable('only runs of the same load can be compared: repeat one as the other was');
  const [was, is] = [before.timeline, after.timeline];
  if (was === undefined || is === undefined) {
    return incomparable(
      'a comparison goes by time lines, which k6 does not write: measure both with --engine embedded',
    );
  }
  if (Math.min(was.slices.length, is.slices.length) < leastSlices) {
    return incomparable(`a comparison takes two runs with time lines of at least ${leastSlices} slices: run longer`);
  }
  const [one, other] = [estimatesOf(was), estimatesOf(is)];
  const statistics = (Object.keys(compared) as Statistic[]).flatMap((statistic): Compared[] => {
    const change = changeOf([one[statistic], was.slices.length], [other[statistic], is.slices.length]);
    return change === undefined ? [] : [{ statistic, ...change, verdict: judge(change, compared[statistic], margin) }];
  });
  const errors = errorsGrew(before, after);
  // What a target did until it was gone is no measure of it.
  const isFair =
    statistics.length > 0 &&
    [before, after].every(({ clientHealth, endedEarly }) => !clientHealth.isLimit && endedEarly !== 'target gone');
  const isWorse = errors !== undefined || statistics.some(({ verdict }) => verdict === 'worse');
  return {
    statistics,
    warnings: errors === undefined ? warnings : [...warnings, errors],
    verdict: isFair ? (isWorse ? 'worse' : 'no worse') : 'incomparable',
  };
}

function judge({ relative, interval: [low, high] }: Change, metric: MetricName, margin: number): Verdict {
  if (low > -margin && high < margin) return 'same';
  if ((low <= 0 && high >= 0) || Math.abs(relative) <= margin) return 'unclear';
  return relative > 0 === (metrics[metric].better === 'more') ? 'better' : 'worse';
}

function errorsGrew({ requests: was }: LoadResult, { requests: is }: LoadResult): string | undefined {
  const share = ({ succeeded, failed }: LoadResult['requests']) => failed / Math.max(1, succeeded + failed);
  // Twice the binomial deviation of both together is more than chance.
  const [one, other] = [share(was), share(is)];
  const deviation = Math.sqrt((one + other + 1e-6) / 2 / Math.max(1, Math.min(was.sent, is.sent)));
  if (other - one <= Math.max(0.005, 3 * deviation)) return undefined;
  return `${short(100 * other)}% of requests failed, ${short(100 * one)}% before`;
}

function differences(before: LoadResult, after: LoadResult): string[] {
  const parts = (['kind', 'workload'] as const).filter(
    (part) => !isDeepStrictEqual(before.profile[part], after.profile[part]),
  );
  const [was, is] = [before.profile, after.profile];
  const arrivalDiffers =
    was.kind === 'traffic' && is.kind === 'traffic' && !isDeepStrictEqual(was.arrival, is.arrival) ? ['arrival'] : [];
  return [...parts, ...arrivalDiffers].map((part) => `the runs differ in their ${part}`);
}

function weaknesses({ clientHealth, endedEarly }: LoadResult, which: string): string[] {
  return [
    ...(clientHealth.isLimit
      ? [`the client was the limit of the ${which} run: ${clientHealth.reasons.join('; ')}`]
      : []),
    ...(endedEarly === undefined ? [] : [`the ${which} run ended early (${endedEarly})`]),
  ];
}
