import type { MetricType, Sample } from './protocol.ts';

/** The samples of one metric, or of the part of it that has certain tags. */
class Series {
  readonly type: MetricType;
  readonly #tags: Readonly<Record<string, string>>;
  readonly #values: number[] = [];

  constructor(type: MetricType, tags: Readonly<Record<string, string>>) {
    this.type = type;
    this.#tags = tags;
  }

  get isEmpty(): boolean {
    return this.#values.length === 0;
  }

  add({ value, tags }: Sample): void {
    if (Object.entries(this.#tags).every(([name, wanted]) => tags[name] === wanted)) this.#values.push(value);
  }

  /** An aggregate by its name in k6: `count`, `p(95)`. Those of nothing are 0. */
  aggregate(name: string, seconds: number): number {
    const values = this.#values;
    const sum = values.reduce((total, value) => total + value, 0);
    const isTrend = this.type === 'trend';
    switch (name) {
      case 'count':
        return isTrend ? values.length : sum;
      case 'rate':
        return this.type === 'rate' ? sum / Math.max(1, values.length) : sum / seconds;
      case 'passes':
        return sum;
      case 'fails':
        return values.length - sum;
      case 'value':
        return values.at(-1) ?? 0;
      case 'avg':
        return sum / Math.max(1, values.length);
      case 'min':
        return values.length === 0 ? 0 : Math.min(...values);
      case 'max':
        return values.length === 0 ? 0 : Math.max(...values);
      case 'med':
        return percentile(values, 50);
      default:
        return percentile(values, Number(/^p\((\d+(?:\.\d+)?)\)$/.exec(name)?.[1]));
    }
  }
}

function percentile(values: readonly number[], percent: number): number {
  if (Number.isNaN(percent)) throw new Error('there is no such aggregate');
  const sorted = values.toSorted((one, other) => one - other);
  const place = (percent / 100) * Math.max(0, sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? 0;
  return below + (above - below) * (place - Math.floor(place));
}

const ofTypes: Readonly<Record<MetricType, readonly string[]>> = {
  counter: ['count', 'rate'],
  gauge: ['value'],
  rate: ['rate'],
  trend: ['avg', 'min', 'max', 'med'],
};

interface Threshold {
  readonly aggregate: string;
  holds(actual: number): boolean;
}

/** @throws on what k6 does not take as a threshold on a metric of this type */
function parseThreshold(source: string, type: MetricType): Threshold {
  const [, aggregate = '', sign = '', number = ''] =
    /^\s*(\w+(?:\(\d+(?:\.\d+)?\))?)\s*(<=|>=|<|>|===|==|!=)\s*(-?\d+(?:\.\d+)?)\s*$/.exec(source) ?? [];
  const isKnown = ofTypes[type].includes(aggregate) || (type === 'trend' && /^p\(/.test(aggregate));
  if (!isKnown) throw new Error(`invalid threshold "${source}" on a ${type}`);
  const bound = Number(number);
  const comparisons: Readonly<Record<string, (actual: number) => boolean>> = {
    '<=': (actual) => actual <= bound,
    '<': (actual) => actual < bound,
    '>=': (actual) => actual >= bound,
    '>': (actual) => actual > bound,
    '==': (actual) => actual === bound,
    '===': (actual) => actual === bound,
    '!=': (actual) => actual !== bound,
  };
  return { aggregate, holds: comparisons[sign] ?? (() => false) };
}

interface Judged {
  readonly series: Series;
  readonly thresholds: ReadonlyMap<string, Threshold>;
}

const builtIn: Readonly<Record<string, MetricType>> = {
  dropped_iterations: 'counter',
  iterations: 'counter',
  http_reqs: 'counter',
  http_req_duration: 'trend',
  http_req_waiting: 'trend',
  http_req_receiving: 'trend',
  http_req_failed: 'rate',
  ws_sessions: 'counter',
};

/** All metrics of a run. */
export class Metrics {
  readonly #types: Readonly<Record<string, MetricType>>;
  readonly #series = new Map<string, Series>();
  readonly #judged = new Map<string, Judged>();

  /** @param thresholds expressions by metric, `name{tag:value}` for a part @throws on what k6 would refuse */
  constructor(own: Readonly<Record<string, MetricType>>, thresholds: Readonly<Record<string, readonly string[]>>) {
    this.#types = { ...builtIn, ...own };
    for (const [name, sources] of Object.entries(thresholds)) {
      const [, metric = '', selector = ''] = /^([^{}]+)(?:\{([^{}]*)\})?$/.exec(name) ?? [];
      const type = this.#types[metric];
      if (type === undefined) throw new Error(`invalid threshold: no metric is called ${metric}`);
      const tags = Object.fromEntries(selector === '' ? [] : selector.split(',').map((tag) => tag.trim().split(':')));
      const series = new Series(type, tags);
      this.#judged.set(name, {
        series,
        thresholds: new Map(sources.map((source) => [source, parseThreshold(source, type)])),
      });
    }
  }

  add(sample: Sample): void {
    const type = this.#types[sample.metric];
    if (type === undefined) throw new Error(`no metric is called ${sample.metric}`);
    const series = this.#series.get(sample.metric) ?? new Series(type, {});
    this.#series.set(sample.metric, series);
    series.add(sample);
    for (const [name, judged] of this.#judged) {
      if (name === sample.metric || name.startsWith(`${sample.metric}{`)) judged.series.add(sample);
    }
  }

  /** What `handleSummary` is given of the metrics: those that have samples or thresholds. */
  summary(trendStats: readonly string[], seconds: number) {
    const names = new Set([...this.#series.keys(), ...this.#judged.keys()]);
    const entries = [...names].map((name) => {
      const judged = this.#judged.get(name);
      const series = judged?.series ?? this.#series.get(name);
      if (!series) throw new Error(`${name} is lost`);
      const aggregates = {
        counter: ['count', 'rate'],
        gauge: ['value', 'min', 'max'],
        rate: ['rate', 'passes', 'fails'],
        trend: trendStats,
      }[series.type];
      const values = Object.fromEntries(
        aggregates.map((aggregate) => [aggregate, series.aggregate(aggregate, seconds)]),
      );
      const thresholds = Object.fromEntries(
        [...(judged?.thresholds ?? [])].map(([source, { aggregate, holds }]) => [
          source,
          { ok: holds(series.aggregate(aggregate, seconds)) },
        ]),
      );
      return [name, { type: series.type, values, ...(judged && { thresholds }) }] as const;
    });
    return Object.fromEntries(entries);
  }
}
