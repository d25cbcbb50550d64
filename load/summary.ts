import { type MetricName, metrics } from '../specs/metrics.ts';
import type { ClientHealth, LoadResult } from '../specs/wire.ts';
import { busiestCpu, isOfClient, lateWords, toleranceOf } from './doubt.ts';
import { Distribution } from './engine/distribution.ts';
import type { Measurement } from './engine/engine.ts';
import { distributionNames, Tally } from './engine/tally.ts';

/** What the processes of a run measured together. */
export interface Totals {
  readonly tally: Tally;
  readonly clientHealth: ClientHealth;
  readonly endedEarly: Measurement['ended'];
}

/** Merges what the processes of a run measured: counts are added, distributions merged, never averaged. */
export function addUp(measurements: readonly Measurement[]): Totals {
  const tally = new Tally(0);
  const lateness = new Distribution();
  for (const measurement of measurements) {
    tally.merge(measurement.tally);
    lateness.merge(measurement.lateness);
  }
  const endings = measurements.map(({ ended }) => ended);
  return {
    tally,
    clientHealth: judgeClient(measurements, lateness, tally),
    endedEarly: endings.find((ending) => ending === 'target gone') ?? endings.find((ending) => ending !== undefined),
  };
}

function judgeClient(measurements: readonly Measurement[], lateness: Distribution, tally: Tally): ClientHealth {
  const most = (value: (measurement: Measurement) => number) => Math.max(0, ...measurements.map(value));
  const delay = {
    p50: most(({ health }) => health.eventLoopDelayMs.p50),
    p99: most(({ health }) => health.eventLoopDelayMs.p99),
    max: most(({ health }) => health.eventLoopDelayMs.max),
  };
  const cpu = most(({ health }) => health.cpu);
  const lateSends = {
    count: tally.counts.late,
    p99Ms: lateness.percentile(99),
    maxMs: lateness.max,
  };
  const { ttft, e2e } = tally.distributions;
  const tolerance = toleranceOf((ttft.count > 0 ? ttft : e2e).percentile(50));
  const reasons = [
    ...(cpu >= busiestCpu ? [`a process of the client used ${Math.round(cpu * 100)}% of a core`] : []),
    ...(delay.p99 > tolerance ? [`the client's event loop was late by ${delay.p99.toFixed(0)} ms (p99)`] : []),
    ...(lateSends.p99Ms > tolerance ? [`the client ${lateWords(lateSends, tally.counts.sent)}`] : []),
    ...[...tally.errors.keys()].filter(isOfClient),
  ];
  return {
    eventLoopDelayMs: delay,
    cpu,
    lateSends,
    sockets: measurements.reduce((sum, { sockets }) => sum + sockets, 0),
    memoryMb: most(({ health }) => health.memoryMb),
    isLimit: reasons.length > 0,
    reasons,
  };
}

/** The metrics of a tally; those of which nothing was measured are absent. */
export function metricsOf({ counts, distributions, wallMs }: Tally): LoadResult['metrics'] {
  const seconds = wallMs / 1000;
  const decided = counts.succeeded + counts.failed;
  const rate = (count: number) => (seconds > 0 ? count / seconds : undefined);
  const share = (count: number, of: number) => (of > 0 ? count / of : undefined);
  const medianTpot = distributions.tpot.percentile(50);
  const figures = {
    stream_token_rate: medianTpot > 0 ? 1000 / medianTpot : undefined,
    output_token_rate: rate(counts.tokensInTime),
    request_rate: rate(counts.inTime),
    goodput: rate(counts.goodInTime),
    goodput_fraction: share(counts.good, decided),
    error_fraction: share(counts.failed, decided),
    limited_fraction: share(counts.limited, decided + counts.limited),
    late_send_fraction: share(counts.late, counts.sent),
    requests_sent: counts.sent,
    requests_succeeded: counts.succeeded,
    requests_failed: counts.failed,
    requests_limited: counts.limited,
  } satisfies Partial<Record<MetricName, number | undefined>>;
  const measured: LoadResult['metrics'] = {};
  for (const name of distributionNames) {
    const summary = distributions[name].summary();
    if (summary) measured[name] = summary;
  }
  for (const [name, value] of Object.entries(figures)) {
    if (value !== undefined) measured[name] = { unit: metrics[name as keyof typeof figures].unit, value };
  }
  return measured;
}
