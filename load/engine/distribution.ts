import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
  JsHistogram,
} from 'hdr-histogram-js';
import { percentiles } from '../../specs/metrics.ts';
import type { Distribution as Summary } from '../../specs/wire.ts';

/** What a packed histogram holds: milliseconds in ascending order, each with how often it was recorded. */
export function recordedValues(packed: string): readonly (readonly [ms: number, count: number])[] {
  const histogram = decodeFromCompressedBase64(packed);
  if (!(histogram instanceof JsHistogram)) throw new Error('a histogram is decoded without WebAssembly');
  const values: [number, number][] = [];
  const iterator = histogram.recordedValuesIterator;
  iterator.reset();
  while (iterator.hasNext()) {
    const { valueIteratedTo, countAtValueIteratedTo } = iterator.next();
    values.push([valueIteratedTo / 1000, countAtValueIteratedTo]);
  }
  return values;
}

/** A distribution as it travels between processes. */
export interface PackedDistribution {
  readonly histogram: string;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Milliseconds, kept as an HdrHistogram of microseconds, so that those of several processes merge into what one would
 * have recorded. Percentiles are right to three digits by default; mean, least and greatest are exact.
 */
export class Distribution {
  #histogram: Histogram;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  constructor(digits: 1 | 2 | 3 = 3) {
    this.#histogram = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: 2,
      autoResize: true,
      numberOfSignificantValueDigits: digits,
    });
  }

  static unpack(packed: PackedDistribution, digits?: 1 | 2 | 3): Distribution {
    const distribution = new Distribution(digits);
    distribution.merge(packed);
    return distribution;
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  get max(): number {
    return this.#max;
  }

  record(ms: number): void {
    const value = Math.max(0, ms);
    this.#histogram.recordValue(Math.round(value * 1000));
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /** Takes in what another process recorded. */
  merge({ histogram, ...extent }: PackedDistribution): void {
    this.#add(decodeFromCompressedBase64(histogram), extent);
  }

  /** Takes in what another distribution of this process recorded, without the cost of packing it. */
  join(other: Distribution): void {
    this.#add(other.#histogram, { sum: other.#sum, min: other.#min, max: other.#max });
  }

  #add(histogram: Histogram, { sum, min, max }: Pick<PackedDistribution, 'sum' | 'min' | 'max'>): void {
    this.#histogram.add(histogram);
    this.#sum += sum;
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
  }

  /** Milliseconds; 0 of an empty distribution. */
  percentile(percentile: number): number {
    if (this.count === 0) return 0;
    const value = this.#histogram.getValueAtPercentile(percentile) / 1000;
    return Math.min(Math.max(value, this.#min), this.#max);
  }

  pack(): PackedDistribution {
    return {
      histogram: encodeIntoCompressedBase64(this.#histogram),
      sum: this.#sum,
      min: Number.isFinite(this.#min) ? this.#min : Number.MAX_VALUE,
      max: this.#max,
    };
  }

  /** `undefined` of an empty distribution: nothing measured is not 0 ms. */
  summary(): Summary | undefined {
    if (this.count === 0) return undefined;
    return {
      unit: 'ms',
      count: this.count,
      mean: this.#sum / this.count,
      min: this.#min,
      max: this.#max,
      percentiles: Object.fromEntries(percentiles.map((percentile) => [percentile, this.percentile(percentile)])),
      histogram: encodeIntoCompressedBase64(this.#histogram),
    };
  }
}
