import type { LoadSlice } from '../../specs/wire.ts';
import { Distribution, type PackedDistribution } from './distribution.ts';

/** The distributions that are kept of each slice, which is what confidence intervals are computed from. */
export const slicedMetrics = ['ttft', 'tpot', 'e2e'] as const;

export type SlicedMetric = (typeof slicedMetrics)[number];

interface Slice extends Omit<LoadSlice, 'at' | 'histograms'> {
  readonly distributions: Partial<Record<SlicedMetric, Distribution>>;
}

export type SliceCount = Exclude<keyof Slice, 'distributions' | 'inFlight'>;

export interface PackedTimeline {
  readonly sliceMs: number;
  readonly slices: readonly (Omit<Slice, 'distributions'> & {
    readonly distributions: Partial<Record<SlicedMetric, PackedDistribution>>;
  })[];
}

/** More slices than this are joined two by two, so that a run of any length has a timeline of bounded size. */
const mostSlices = 120;
const digits = 2;

/** What happened to the requests that were due in each slice of a run. Slices begin at 250 ms and double. */
export class Timeline {
  #sliceMs = 250;
  #slices: Slice[] = [];

  /** Adds to a count of the slice. @param dueMs since the begin of the measurement */
  add(dueMs: number, count: SliceCount, amount = 1): void {
    this.#at(dueMs)[count] += amount;
  }

  record(dueMs: number, metric: SlicedMetric, ms: number): void {
    const { distributions } = this.#at(dueMs);
    distributions[metric] ??= new Distribution(digits);
    distributions[metric].record(ms);
  }

  inFlight(atMs: number, count: number): void {
    const slice = this.#at(atMs);
    if (count > slice.inFlight) slice.inFlight = count;
  }

  merge({ sliceMs, slices }: PackedTimeline): void {
    while (this.#sliceMs < sliceMs) this.#coarsen();
    slices.forEach((packed, index) => {
      // Peaks of several processes need not coincide, so that their sum is an upper bound.
      addSlice(this.#at(index * sliceMs), unpack(packed));
    });
  }

  pack(): PackedTimeline {
    return {
      sliceMs: this.#sliceMs,
      slices: this.#slices.map(({ distributions, ...counts }) => ({
        ...counts,
        distributions: mapDistributions(distributions, (distribution) => distribution.pack()),
      })),
    };
  }

  summary(): { readonly sliceSeconds: number; readonly slices: LoadSlice[] } {
    return {
      sliceSeconds: this.#sliceMs / 1000,
      slices: this.#slices.map(({ distributions, ...counts }, index) => ({
        at: (index * this.#sliceMs) / 1000,
        ...counts,
        histograms: mapDistributions(distributions, (distribution) => distribution.pack().histogram),
      })),
    };
  }

  #at(ms: number): Slice {
    let index = Math.max(0, Math.floor(ms / this.#sliceMs));
    while (index >= mostSlices) {
      this.#coarsen();
      index = Math.floor(ms / this.#sliceMs);
    }
    for (let next = this.#slices.length; next <= index; next += 1) this.#slices.push(emptySlice());
    const slice = this.#slices[index];
    if (slice === undefined) throw new Error(`there is no slice ${index}`);
    return slice;
  }

  #coarsen(): void {
    const joined: Slice[] = [];
    this.#slices.forEach((slice, index) => {
      const before = joined[index >> 1];
      if (before === undefined) joined.push(slice);
      else {
        const inFlight = Math.max(before.inFlight, slice.inFlight);
        addSlice(before, slice);
        before.inFlight = inFlight;
      }
    });
    this.#slices = joined;
    this.#sliceMs *= 2;
  }
}

function emptySlice(): Slice {
  return { sent: 0, succeeded: 0, failed: 0, limited: 0, inFlight: 0, outputTokens: 0, distributions: {} };
}

function addSlice(to: Slice, from: Slice): void {
  for (const name of ['sent', 'succeeded', 'failed', 'limited', 'inFlight', 'outputTokens'] as const) {
    to[name] += from[name];
  }
  for (const metric of slicedMetrics) {
    const distribution = from.distributions[metric];
    if (distribution === undefined) continue;
    if (to.distributions[metric] === undefined) to.distributions[metric] = distribution;
    else to.distributions[metric].join(distribution);
  }
}

function unpack({ distributions, ...counts }: PackedTimeline['slices'][number]): Slice {
  return { ...counts, distributions: mapDistributions(distributions, (packed) => Distribution.unpack(packed, digits)) };
}

function mapDistributions<From, To>(
  distributions: Partial<Record<SlicedMetric, From>>,
  map: (from: From) => To,
): Partial<Record<SlicedMetric, To>> {
  const mapped: Partial<Record<SlicedMetric, To>> = {};
  for (const metric of slicedMetrics) {
    const from = distributions[metric];
    if (from !== undefined) mapped[metric] = map(from);
  }
  return mapped;
}
