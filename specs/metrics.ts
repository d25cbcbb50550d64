/** What a load run measures. Tools disagree on these names, so the formula is the definition. */
export interface Metric {
  readonly unit: 'ms' | '1/s' | '1';
  /** A distribution has statistics (`ttft_p95`, `ttft_mean`); a figure is its own (`goodput`). */
  readonly form: 'distribution' | 'figure';
  /** Whether a target is better for less of it or for more; `neither` depends on what was sent. */
  readonly better: 'less' | 'more' | 'neither';
  readonly formula: string;
}

export const metrics = {
  ttft: {
    unit: 'ms',
    form: 'distribution',
    better: 'less',
    formula: 'first non-empty content minus the time at which the request was due; a delta with a role alone is none',
  },
  ttft_from_send: {
    unit: 'ms',
    form: 'distribution',
    better: 'less',
    formula: 'first non-empty content minus the time at which the request was sent: hides what waited in a queue',
  },
  icl: {
    unit: 'ms',
    form: 'distribution',
    better: 'less',
    formula: 'each gap between two pieces of content of a request; a piece need not be one token',
  },
  tpot: {
    unit: 'ms',
    form: 'distribution',
    better: 'less',
    formula: '(last content - first content) / (output tokens - 1), of each request with two tokens or more',
  },
  e2e: {
    unit: 'ms',
    form: 'distribution',
    better: 'less',
    formula: 'last content, or the end of a JSON body, minus the time at which the request was due',
  },
  e2e_from_send: {
    unit: 'ms',
    form: 'distribution',
    better: 'less',
    formula: 'last content, or the end of a JSON body, minus the time at which the request was sent',
  },
  queue_delay: {
    unit: 'ms',
    form: 'distribution',
    better: 'less',
    formula: 'time at which the request was written to its connection minus the time at which it was due',
  },
  stream_token_rate: {
    unit: '1/s',
    form: 'figure',
    better: 'more',
    formula: '1000 / median TPOT: what one user sees; not comparable with output_token_rate',
  },
  output_token_rate: {
    unit: '1/s',
    form: 'figure',
    better: 'more',
    formula: 'output tokens of the requests answered whole within the wall time / wall time',
  },
  request_rate: {
    unit: '1/s',
    form: 'figure',
    better: 'more',
    formula:
      'requests answered whole within the wall time / wall time: from the begin of the measurement to the end of its duration, or of its last request where it has none or that is earlier',
  },
  goodput: {
    unit: '1/s',
    form: 'figure',
    better: 'more',
    formula:
      'requests answered whole within the wall time of which every SLO was measured and holds by itself / wall time',
  },
  goodput_fraction: {
    unit: '1',
    form: 'figure',
    better: 'more',
    formula: 'requests of which every SLO was measured and holds / (answered whole + failed)',
  },
  error_fraction: {
    unit: '1',
    form: 'figure',
    better: 'less',
    formula: 'failed / (answered whole + failed); a 429 is neither',
  },
  limited_fraction: {
    unit: '1',
    form: 'figure',
    better: 'neither',
    formula: 'refused with 429 / (answered whole + failed + refused with 429)',
  },
  late_send_fraction: {
    unit: '1',
    form: 'figure',
    better: 'neither',
    formula:
      'measured requests that the client set about more than 10 ms after they were due / measured requests sent: of the client, not of the target',
  },
  requests_sent: { unit: '1', form: 'figure', better: 'neither', formula: 'measured requests sent' },
  requests_succeeded: { unit: '1', form: 'figure', better: 'neither', formula: 'measured requests answered whole' },
  requests_failed: { unit: '1', form: 'figure', better: 'less', formula: 'measured requests that failed, without 429' },
  requests_limited: { unit: '1', form: 'figure', better: 'neither', formula: 'measured requests refused with 429' },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof metrics;

/** The percentiles that every engine reports. */
export const percentiles = [50, 75, 90, 95, 99, 99.9] as const;

/** What of a distribution a bound can be set on, as suffixes of its name. */
const statistics = ['mean', 'min', 'max', ...percentiles.map((percentile) => `p${percentile}`)];

const metricNames = Object.keys(metrics) as MetricName[];

/** Every name that a bound can be set on: `ttft_p95`, `goodput`. */
export const statisticNames: readonly string[] = metricNames.flatMap((name) =>
  metrics[name].form === 'figure' ? [name] : statistics.map((statistic) => `${name}_${statistic}`),
);

/** The distributions of which every request has one value, so that an SLO can be held against each request. */
export const sloMetrics = ['ttft', 'ttft_from_send', 'tpot', 'e2e', 'e2e_from_send'] as const satisfies MetricName[];

export type SloMetric = (typeof sloMetrics)[number];

/** Every name that an SLO can be set on. */
export const sloNames: readonly string[] = sloMetrics.flatMap((name) =>
  statistics.map((statistic) => `${name}_${statistic}`),
);

/** The metric that a statistic is of: that of `ttft_p95` is `ttft`. */
export function metricOf(statistic: string): MetricName | undefined {
  const withName = (wanted: string) => metricNames.find((name) => name === wanted);
  // A figure may be named as another with a suffix: goodput_fraction is nothing of goodput.
  return withName(statistic) ?? withName(statistic.slice(0, statistic.lastIndexOf('_')));
}

/** What a result gives of one distribution. */
interface Summary {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly percentiles: Readonly<Record<string, number>>;
}

/** A statistic of measured metrics; `undefined` where nothing was measured. */
export function readStatistic(
  measured: Readonly<Record<string, Summary | { readonly value: number }>>,
  statistic: string,
): number | undefined {
  const name = metricOf(statistic);
  const metric = name === undefined ? undefined : measured[name];
  if (name === undefined || metric === undefined) return undefined;
  if ('value' in metric) return metric.value;
  const suffix = statistic.slice(name.length + 1);
  if (suffix === 'mean' || suffix === 'min' || suffix === 'max') return metric[suffix];
  return metric.percentiles[suffix.slice(1)];
}
