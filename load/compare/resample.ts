import type { LoadResult, LoadSlice } from '../../specs/wire.ts';
import { recordedValues } from '../engine/distribution.ts';
import { type Random, randomFrom } from '../engine/random.ts';

/** Computes a statistic from some of a run's slices, each given by its index, as often as it was drawn. */
export type Estimate = (drawn: readonly number[]) => number | undefined;

/** What the slices of a run recorded of a metric, ready to be drawn from. */
export interface SlicedValues {
  /** Milliseconds that occur, in ascending order. */
  readonly values: readonly number[];
  /** Of each slice, places in `values` and how often each occurred. */
  readonly rows: readonly (readonly (readonly [place: number, count: number])[])[];
}

export function slicedValues(slices: readonly LoadSlice[], metric: string): SlicedValues {
  const recorded = slices.map(({ histograms }) => {
    const packed = histograms?.[metric];
    return packed === undefined ? [] : recordedValues(packed);
  });
  const values = [...new Set(recorded.flatMap((pairs) => pairs.map(([ms]) => ms)))].sort((one, other) => one - other);
  const place = new Map(values.map((ms, index) => [ms, index]));
  return { values, rows: recorded.map((pairs) => pairs.map(([ms, count]) => [place.get(ms) ?? 0, count] as const)) };
}

/** Estimates a percentile. */
export function percentileEstimate({ values, rows }: SlicedValues, percentile: number): Estimate {
  return (drawn) => {
    const counts = new Float64Array(values.length);
    let total = 0;
    for (const slice of drawn) {
      for (const [index, count] of rows[slice] ?? []) {
        counts[index] = (counts[index] ?? 0) + count;
        total += count;
      }
    }
    if (total === 0) return undefined;
    let below = 0;
    const rank = Math.ceil((percentile / 100) * total);
    for (let index = 0; index < counts.length; index += 1) {
      below += counts[index] ?? 0;
      if (below >= rank) return values[index];
    }
    return values.at(-1);
  };
}

/** Estimates what comes of a slice in a second. */
export function rateEstimate(
  { sliceSeconds, slices }: NonNullable<LoadResult['timeline']>,
  count: (slice: LoadSlice) => number,
): Estimate {
  return (drawn) => {
    const amount = drawn.reduce((sum, index) => sum + (slices[index] ? count(slices[index]) : 0), 0);
    return amount / (drawn.length * sliceSeconds);
  };
}

export interface Change {
  readonly before: number;
  readonly after: number;
  /** after / before - 1. */
  readonly relative: number;
  /** 99% confidence interval of it. */
  readonly interval: readonly [number, number];
}

const draws = 600;

/**
 * How a statistic changed between two runs. The interval comes from drawing whole slices with replacement, since
 * requests of the same moment resemble each other and count for less than as many independent ones.
 */
export function changeOf(
  [before, beforeSlices]: readonly [Estimate, number],
  [after, afterSlices]: readonly [Estimate, number],
  seed = 29,
): Change | undefined {
  const random = randomFrom(seed);
  const whole = (count: number) => Array.from({ length: count }, (_, index) => index);
  const relative = (one: number | undefined, other: number | undefined) =>
    one === undefined || other === undefined || one === 0 ? undefined : other / one - 1;
  const [was, is] = [before(whole(beforeSlices)), after(whole(afterSlices))];
  const change = relative(was, is);
  if (was === undefined || is === undefined || change === undefined) return undefined;
  const drawn: number[] = [];
  for (let draw = 0; draw < draws; draw += 1) {
    const next = relative(before(sample(beforeSlices, random)), after(sample(afterSlices, random)));
    if (next !== undefined) drawn.push(next);
  }
  drawn.sort((one, other) => one - other);
  const at = (share: number) => drawn[Math.min(drawn.length - 1, Math.floor(share * drawn.length))] ?? change;
  return { before: was, after: is, relative: change, interval: [at(0.005), at(0.995)] };
}

function sample(count: number, random: Random): number[] {
  return Array.from({ length: count }, () => Math.floor(random() * count));
}
