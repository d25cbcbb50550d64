import { metricOf, metrics, readStatistic } from '../specs/metrics.ts';
import type { BoundVerdict, LoadResult } from '../specs/wire.ts';

export interface Bound {
  readonly atMost?: number;
  readonly atLeast?: number;
}

type Slos = Readonly<Record<string, number>>;
type Thresholds = Readonly<Record<string, Bound>>;

/** The bounds of a profile by statistic: its SLOs and its thresholds. */
export function boundsOf(slos: Slos = {}, thresholds: Thresholds = {}): readonly (readonly [string, Bound])[] {
  return [...Object.entries(slos).map(([name, atMost]) => [name, { atMost }] as const), ...Object.entries(thresholds)];
}

/** What became of SLOs and thresholds. One on which nothing was measured is not kept. */
export function judgeBounds(measured: LoadResult['metrics'], slos?: Slos, thresholds?: Thresholds): BoundVerdict[] {
  return boundsOf(slos, thresholds).map(([name, bound]) => {
    const { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY } = bound;
    const actual = readStatistic(measured, name);
    const metric = metricOf(name);
    return {
      name,
      unit: metric === undefined ? '1' : metrics[metric].unit,
      ...bound,
      ...(actual !== undefined && { actual }),
      kept: actual !== undefined && actual <= atMost && actual >= atLeast,
    };
  });
}
