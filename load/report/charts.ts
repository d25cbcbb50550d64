import type { LoadResult } from '../../specs/wire.ts';
import { recordedValues } from '../engine/distribution.ts';

/** A plot as the page draws it. Column 0 is x; a value that is absent is null. */
export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly logX?: boolean;
  readonly logY?: boolean;
  /** Points instead of lines. */
  readonly points?: boolean;
  /** A vertical line. */
  readonly mark?: { readonly x: number; readonly label: string };
  readonly series: readonly string[];
  readonly columns: readonly (readonly (number | null)[])[];
}

/** The plots of a result, as far as it has what they show. */
export function chartsOf(result: LoadResult): Chart[] {
  return [...capacityCharts(result), ...timeCharts(result), ...distributionCharts(result)];
}

function timeCharts({ timeline }: LoadResult): Chart[] {
  if (timeline === undefined || timeline.slices.length === 0) return [];
  const { sliceSeconds, slices } = timeline;
  const times = slices.map(({ at }) => at);
  const perSecond = (counts: readonly number[]) => counts.map((count) => count / sliceSeconds);
  const percentiles = (metric: string, percentile: number) =>
    slices.map(({ histograms }) => percentileOf(histograms?.[metric], percentile));
  const x = 'seconds; each request at the time at which it was due';
  return [
    {
      title: 'Requests',
      x,
      y: 'a second',
      series: ['answered whole', 'failed', 'refused with 429'],
      columns: [
        times,
        perSecond(slices.map(({ succeeded }) => succeeded)),
        perSecond(slices.map(({ failed }) => failed)),
        perSecond(slices.map(({ limited }) => limited)),
      ],
    },
    {
      title: 'Output tokens',
      x,
      y: 'a second',
      series: ['tokens'],
      columns: [times, perSecond(slices.map(({ outputTokens }) => outputTokens))],
    },
    {
      title: 'In flight',
      x,
      y: 'requests',
      series: ['most at a time'],
      columns: [times, slices.map(({ inFlight }) => inFlight)],
    },
    {
      title: 'TTFT over time',
      x,
      y: 'ms',
      logY: true,
      series: ['p50', 'p95'],
      columns: [times, percentiles('ttft', 50), percentiles('ttft', 95)],
    },
  ];
}

function percentileOf(packed: string | undefined, percentile: number): number | null {
  if (packed === undefined) return null;
  const values = recordedValues(packed);
  const total = values.reduce((sum, [, count]) => sum + count, 0);
  let below = 0;
  for (const [ms, count] of values) {
    below += count;
    if (below >= (percentile / 100) * total) return ms;
  }
  return null;
}

/** The share of requests that took at most x, of each latency; all on one logarithmic axis. */
function distributionCharts({ metrics }: LoadResult): Chart[] {
  const curves = ['ttft', 'tpot', 'icl', 'e2e'].flatMap((name) => {
    const metric = metrics[name];
    if (metric === undefined || !('histogram' in metric) || metric.histogram === undefined) return [];
    let below = 0;
    const points = recordedValues(metric.histogram).map(([ms, count]) => {
      below += count;
      // A logarithmic axis has no 0.
      return [Math.max(ms, 0.01), (100 * below) / metric.count] as const;
    });
    return [{ name, points: new Map(points) }];
  });
  if (curves.length === 0) return [];
  const x = [...new Set(curves.flatMap(({ points }) => [...points.keys()]))].sort((one, other) => one - other);
  return [
    {
      title: 'Latency distributions',
      x: 'ms',
      y: '% at most',
      logX: true,
      series: curves.map(({ name }) => name),
      columns: [x, ...curves.map(({ points }) => x.map((ms) => points.get(ms) ?? null))],
    },
  ];
}

function capacityCharts({ capacity }: LoadResult): Chart[] {
  if (capacity === undefined) return [];
  const points = capacity.points.toSorted((one, other) => one.rate - other.rate);
  const rates = points.map(({ rate }) => rate);
  const names = [...new Set(points.flatMap(({ statistics }) => Object.keys(statistics)))];
  const mark = capacity.rate === undefined ? {} : { mark: { x: capacity.rate, label: 'at most' } };
  const common = { x: 'requests a second', points: true, ...mark };
  return [
    {
      ...common,
      title: 'Latency against rate',
      y: 'ms',
      logY: true,
      series: names,
      columns: [rates, ...names.map((name) => points.map(({ statistics }) => statistics[name] ?? null))],
    },
    {
      ...common,
      title: 'Output tokens against rate',
      y: 'a second',
      series: ['tokens'],
      columns: [rates, points.map(({ outputTokenRate }) => outputTokenRate)],
    },
  ];
}
