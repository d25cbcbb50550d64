import { type MetricName, metrics, percentiles } from '../../specs/metrics.ts';
import type { Distribution, LoadResult, RequestCounts } from '../../specs/wire.ts';
import { lateWords, toleranceOf } from '../doubt.ts';
import { failureKinds } from './flight.ts';
import { trendNames } from './metrics.ts';
import { readValue, type SummaryData } from './summary-data.ts';
import { failedOfKind } from './thresholds.ts';

/** The statistics that k6 is to work out of each distribution. */
export const summaryTrendStats = [
  'avg',
  'min',
  'med',
  'max',
  'count',
  ...percentiles.map((percentile) => `p(${percentile})`),
];

export function countsOf(data: SummaryData): RequestCounts {
  const [sent = 0, succeeded = 0, failed = 0, limited = 0, warmUp = 0] = [
    'requests_sent',
    'requests_succeeded',
    'requests_failed',
    'requests_limited',
    'requests_warm_up',
  ].map((name) => readValue(data, name));
  return { sent, succeeded, failed, limited, unfinished: Math.max(0, sent - succeeded - failed - limited), warmUp };
}

export function tokensOf(data: SummaryData): LoadResult['tokens'] {
  const byUsage = readValue(data, 'tokens_counted_by_usage');
  const byChunks = readValue(data, 'tokens_counted_by_chunks');
  return {
    prompt: readValue(data, 'tokens_prompt'),
    output: readValue(data, 'tokens_output'),
    countedBy: byUsage > 0 ? (byChunks > 0 ? 'both' : 'usage') : byChunks > 0 ? 'chunks' : 'none',
  };
}

export function measuredSecondsOf(data: SummaryData): number {
  return Math.max(0, readValue(data, 'measured_end', 'max') - readValue(data, 'measured_begin', 'min')) / 1000;
}

/** The metrics of a run; those of which nothing was measured are absent. */
export function metricsOf(data: SummaryData): LoadResult['metrics'] {
  const { sent, succeeded, failed, limited } = countsOf(data);
  const seconds = readValue(data, 'wall_ms', 'max') / 1000;
  const decided = succeeded + failed;
  const good = readValue(data, 'requests_good');
  const rate = (count: number) => (seconds > 0 ? count / seconds : undefined);
  const share = (count: number, of: number) => (of > 0 ? count / of : undefined);
  const tpot = readValue(data, 'tpot', 'med');
  const figures: Partial<Record<MetricName, number | undefined>> = {
    stream_token_rate: tpot > 0 ? 1000 / tpot : undefined,
    output_token_rate: rate(readValue(data, 'tokens_in_time')),
    request_rate: rate(readValue(data, 'requests_in_time')),
    goodput: rate(readValue(data, 'requests_good_in_time')),
    goodput_fraction: share(good, decided),
    error_fraction: share(failed, decided),
    limited_fraction: share(limited, decided + limited),
    late_send_fraction: share(readValue(data, 'late_sends'), sent),
    requests_sent: sent,
    requests_succeeded: succeeded,
    requests_failed: failed,
    requests_limited: limited,
  };
  const measured: LoadResult['metrics'] = {};
  for (const name of trendNames) {
    if (readValue(data, name) > 0) measured[name] = distributionOf(data, name);
  }
  for (const [name, value] of Object.entries(figures)) {
    if (value !== undefined) measured[name] = { unit: metrics[name as MetricName].unit, value };
  }
  return measured;
}

function distributionOf(data: SummaryData, name: string): Distribution {
  const value = (of: string) => readValue(data, name, of);
  return {
    unit: 'ms',
    count: value('count'),
    mean: value('avg'),
    min: value('min'),
    max: value('max'),
    percentiles: Object.fromEntries(percentiles.map((percentile) => [percentile, value(`p(${percentile})`)])),
  };
}

/** Failures by kind, the most frequent first. */
export function errorsOf(data: SummaryData): LoadResult['errors'] {
  return failureKinds
    .map((kind) => ({ kind, count: readValue(data, failedOfKind(kind)) }))
    .filter(({ count }) => count > 0)
    .toSorted((one, other) => other.count - one.count);
}

/** k6 says of itself only whether it had users enough, and sent in time. */
export function clientHealthOf(data: SummaryData): LoadResult['clientHealth'] {
  const droppedIterations = readValue(data, 'dropped_iterations');
  const lateSends = {
    count: readValue(data, 'late_sends'),
    p99Ms: readValue(data, 'send_delay', 'p(99)'),
    maxMs: readValue(data, 'send_delay', 'max'),
  };
  const tolerance = toleranceOf(readValue(data, 'ttft', 'med') || readValue(data, 'e2e', 'med'));
  const reasons = [
    ...(droppedIterations > 0 ? [`k6 had no time left for ${droppedIterations} requests, which were not sent`] : []),
    ...(lateSends.p99Ms > tolerance
      ? [
          `k6 ${lateWords(lateSends, readValue(data, 'requests_sent'))}: it needs more users (STACK29_USERS) or a faster machine`,
        ]
      : []),
  ];
  return { lateSends, droppedIterations, isLimit: reasons.length > 0, reasons };
}
