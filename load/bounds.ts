import { metricOf, metrics, readStatistic } from '../specs/metrics.ts';
import type { BoundVerdict, LoadResult } from '../specs/wire.ts';

export interface Bound {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** The bounds of a profile by statistic: its SLOs and its thresholds. */
export function boundsOf(
  slos: Readonly<Record<string, number>> = {},
  thresholds: Readonly<Record<string, Bound>> = {},
): readonly (readonly [statistic: string, bound: Bound])[] {
  return [...Object.entries(slos).map(([name, atMost]) => [name, { atMost }] as const), ...Object.entries(thresholds)];
}

/** What became of bounds. One on which nothing was measured is not kept. */
export function judgeBounds(measured: LoadResult['metrics'], bounds: ReturnType<typeof boundsOf>): BoundVerdict[] {
  return bounds.map(([name, bound]) => {
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
