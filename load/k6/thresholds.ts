import { metricOf, metrics } from '../../specs/metrics.ts';
import type { TrafficProfile } from '../../specs/wire.ts';
import { boundsOf } from '../bounds.ts';
import { failureKinds } from './flight.ts';
import { tagOf, trendNames } from './metrics.ts';

/** Expressions by metric, as k6 takes them. */
export type Thresholds = Record<string, string[]>;

/** Always kept: makes k6 report the part of a metric that has the tags. */
export const reported = 'count>=0';

export const failedOfKind = (kind: string) => `requests_failed{kind:${tagOf(kind)}}`;

/**
 * The bounds of a profile as thresholds of k6, each beside one that fails where nothing was measured. Those on rates by
 * the wall time of the measurement cannot be put in k6's terms; the result alone judges them.
 */
export function thresholdsOf({ slos, thresholds }: TrafficProfile): Thresholds {
  const found: Thresholds = {
    requests_succeeded: ['count>0'],
    requests_sent: [reported],
    dropped_iterations: ['count==0'],
  };
  const add = (metric: string, expression: string) => {
    found[metric] = [...(found[metric] ?? []), expression];
  };
  for (const [statistic, { atMost, atLeast }] of boundsOf(slos, thresholds)) {
    const term = termOf(statistic);
    if (term === undefined) continue;
    const { metric, aggregate, inverse } = term;
    const of = (bound: number) => (inverse === undefined ? bound : inverse / bound);
    if (atMost !== undefined) add(metric, `${aggregate}${inverse === undefined ? '<=' : '>='}${of(atMost)}`);
    if (atLeast !== undefined) add(metric, `${aggregate}${inverse === undefined ? '>=' : '<='}${of(atLeast)}`);
    if (trendNames.some((name) => name === metric)) add(`${metric}_values`, 'count>0');
  }
  for (const kind of failureKinds) found[failedOfKind(kind)] = [reported];
  return found;
}

interface Term {
  readonly metric: string;
  readonly aggregate: string;
  /** Where k6 measures this much divided by the statistic. */
  readonly inverse?: number;
}

/** A statistic in k6's terms; `undefined` where it has none. */
function termOf(statistic: string): Term | undefined {
  const metric = metricOf(statistic);
  if (metric === undefined) return undefined;
  if (metric === 'stream_token_rate') return { metric: 'tpot', aggregate: 'med', inverse: 1000 };
  if (metrics[metric].form === 'distribution') {
    if (!trendNames.some((name) => name === metric)) return undefined;
    const suffix = statistic.slice(metric.length + 1);
    const aggregate = suffix === 'mean' ? 'avg' : suffix.startsWith('p') ? `p(${suffix.slice(1)})` : suffix;
    return { metric, aggregate };
  }
  if (metric.startsWith('requests_')) return { metric, aggregate: 'count' };
  if (metric.endsWith('_fraction')) return { metric, aggregate: 'rate' };
  return undefined;
}
