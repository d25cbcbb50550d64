import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
import { sloMetrics } from '../../specs/metrics.ts';
import type { Flight } from '../engine/flight.ts';
import { lateAfterMs } from '../engine/lane.ts';
import { isGood, latenciesOf, type limitsOf, tokensOf } from '../engine/latencies.ts';
import type { TransportName } from '../engine/wording.ts';
import type { Ending } from './flight.ts';

/** Distributions that k6 can measure. They keep every sample, so that long runs leave `icl` out. */
export const trendNames = [...sloMetrics, 'icl'] as const;

type TrendName = (typeof trendNames)[number];

const trends: Readonly<Record<TrendName, Trend>> = {
  ttft: new Trend('ttft', true),
  ttft_from_send: new Trend('ttft_from_send', true),
  tpot: new Trend('tpot', true),
  e2e: new Trend('e2e', true),
  e2e_from_send: new Trend('e2e_from_send', true),
  icl: new Trend('icl', true),
};

/** How many values a distribution has: k6 has no threshold on that, and an empty one would pass any other. */
const values: Readonly<Record<TrendName, Counter>> = {
  ttft: new Counter('ttft_values'),
  ttft_from_send: new Counter('ttft_from_send_values'),
  tpot: new Counter('tpot_values'),
  e2e: new Counter('e2e_values'),
  e2e_from_send: new Counter('e2e_from_send_values'),
  icl: new Counter('icl_values'),
};

const counters = {
  sent: new Counter('requests_sent'),
  succeeded: new Counter('requests_succeeded'),
  failed: new Counter('requests_failed'),
  limited: new Counter('requests_limited'),
  good: new Counter('requests_good'),
  warmUp: new Counter('requests_warm_up'),
  promptTokens: new Counter('tokens_prompt'),
  outputTokens: new Counter('tokens_output'),
  byUsage: new Counter('tokens_counted_by_usage'),
  byChunks: new Counter('tokens_counted_by_chunks'),
  inTime: new Counter('requests_in_time'),
  goodInTime: new Counter('requests_good_in_time'),
  tokensInTime: new Counter('tokens_in_time'),
};

/** How long after it was due k6 set about a request. */
const delay = new Trend('send_delay', true);
const lateSends = new Counter('late_sends');

const fractions = {
  error: new Rate('error_fraction'),
  limited: new Rate('limited_fraction'),
  good: new Rate('goodput_fraction'),
  late: new Rate('late_send_fraction'),
};

/** Their least and greatest values are the begin and the end of the measurement, in epoch milliseconds. */
const begun = new Gauge('measured_begin');
const ended = new Gauge('measured_end');

/** Its greatest value is the wall time, by which rates are. */
const wall = new Gauge('wall_ms');

/** The tag of a kind of failure. */
export function tagOf(kind: string): string {
  return kind.replaceAll(' ', '-').toLowerCase();
}

export interface Recorded {
  readonly transport: TransportName;
  readonly measured: boolean;
  /** When the measurement began, in epoch milliseconds. */
  readonly from: number;
  /** How long measured requests are due; infinite where the profile names no duration. */
  readonly durationMs: number;
  /** What each request is held to. */
  readonly limits: ReturnType<typeof limitsOf>;
  /** Between its pieces, in milliseconds, where each becomes a sample. */
  readonly gaps: readonly number[];
}

export function recordSent({ transport, measured }: Recorded, due: number): void {
  if (!measured) {
    counters.warmUp.add(1, { transport });
    return;
  }
  counters.sent.add(1, { transport });
  begun.add(due);
}

export function recordDelay({ measured }: Recorded, ms: number): void {
  if (!measured) return;
  delay.add(Math.max(0, ms));
  const isLate = ms > lateAfterMs;
  fractions.late.add(isLate);
  if (isLate) lateSends.add(1);
}

export function recordEnded(recorded: Recorded, flight: Flight, ending: Ending): void {
  const { transport, measured, from, durationMs, limits, gaps } = recorded;
  const at = Date.now();
  const tokens = tokensOf(flight);
  const latencies = latenciesOf(flight, at);
  const good = ending === 'succeeded' && isGood(latencies, limits);
  // Those of the warm-up count here: they stand for as many that the end of the run finds under way.
  if (ending === 'succeeded' && at >= from && at - from <= durationMs) {
    counters.inTime.add(1, { transport });
    counters.tokensInTime.add(tokens, { transport });
    if (good) counters.goodInTime.add(1, { transport });
  }
  if (!measured) return;
  ended.add(at);
  wall.add(Math.min(at - from, durationMs));
  fractions.limited.add(ending === 'limited', { transport });
  if (ending === 'limited') {
    counters.limited.add(1, { transport });
    return;
  }
  const failed = ending !== 'succeeded';
  fractions.error.add(failed, { transport });
  if (failed) {
    counters.failed.add(1, { transport, kind: tagOf(ending.failed) });
    fractions.good.add(false, { transport });
    return;
  }
  counters.succeeded.add(1, { transport });
  counters.promptTokens.add(flight.promptTokens ?? 0, { transport });
  counters.outputTokens.add(tokens, { transport });
  if (flight.outputTokens !== undefined) counters.byUsage.add(1, { transport });
  else if (flight.pieces > 0) counters.byChunks.add(1, { transport });
  const add = (name: TrendName, ms: number) => {
    trends[name].add(Math.max(0, ms), { transport });
    values[name].add(1, { transport });
  };
  for (const name of sloMetrics) {
    const ms = latencies[name];
    if (ms !== undefined) add(name, ms);
  }
  for (const gap of gaps) add('icl', gap);
  fractions.good.add(good, { transport });
  if (good) counters.good.add(1, { transport });
}
