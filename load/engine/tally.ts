import { type MetricName, sloMetrics } from '../../specs/metrics.ts';
import type { RequestCounts } from '../../specs/wire.ts';
import { Distribution, type PackedDistribution } from './distribution.ts';
import type { Ending, Flight } from './flight.ts';
import { lateAfterMs } from './lane.ts';
import { isGood, type Latencies, latenciesOf, limitsOf, tokensOf } from './latencies.ts';
import { type PackedTimeline, type SlicedMetric, Timeline } from './timeline.ts';

export const distributionNames = [...sloMetrics, 'icl', 'queue_delay'] as const satisfies MetricName[];

export type DistributionName = (typeof distributionNames)[number];

interface Counts extends RequestCounts {
  /** Set about late, for reasons of the client. */
  late: number;
  /** Answered whole, with every SLO measured and held. */
  good: number;
  promptTokens: number;
  outputTokens: number;
  countedByUsage: number;
  countedByPieces: number;
  /** Answered whole within the wall time, whenever they were due; with every SLO held; and their output tokens. */
  inTime: number;
  goodInTime: number;
  tokensInTime: number;
}

/** A tally as it travels between processes. */
export interface PackedTally {
  readonly counts: Counts;
  readonly errors: readonly (readonly [kind: string, count: number])[];
  readonly distributions: Readonly<Record<DistributionName, PackedDistribution>>;
  readonly timeline: PackedTimeline;
  /** From the begin of the measurement to the end of the last measured request. */
  readonly measuredMs: number;
  /** What rates are by: without the time after the last request was due. */
  readonly wallMs: number;
}

/** What all requests of a run, or of one of its processes, came to. Tallies of processes merge. */
export class Tally {
  readonly counts: Counts = {
    sent: 0,
    succeeded: 0,
    failed: 0,
    limited: 0,
    unfinished: 0,
    warmUp: 0,
    late: 0,
    good: 0,
    promptTokens: 0,
    outputTokens: 0,
    countedByUsage: 0,
    countedByPieces: 0,
    inTime: 0,
    goodInTime: 0,
    tokensInTime: 0,
  };
  readonly errors = new Map<string, number>();
  readonly distributions: Readonly<Record<DistributionName, Distribution>>;
  readonly timeline = new Timeline();
  measuredMs = 0;
  wallMs = 0;
  /** When the first measured request is due, on the clock of the flights. */
  readonly #begin: number;
  readonly #durationMs: number;
  readonly #limits: ReturnType<typeof limitsOf>;

  /**
   * @param slos the most that each statistic may be; of each request its metric is held to the same number
   * @param durationMs how long measured requests are due, where that is known before
   */
  constructor(begin: number, slos: Readonly<Record<string, number>> = {}, durationMs = Number.POSITIVE_INFINITY) {
    this.#begin = begin;
    this.#durationMs = durationMs;
    this.#limits = limitsOf(slos);
    const make = () => new Distribution();
    this.distributions = {
      ttft: make(),
      ttft_from_send: make(),
      icl: make(),
      tpot: make(),
      e2e: make(),
      e2e_from_send: make(),
      queue_delay: make(),
    };
  }

  /** @param inFlight requests under way, this one included */
  sent(flight: Flight, inFlight: number): void {
    if (!flight.measured) {
      this.counts.warmUp += 1;
      return;
    }
    this.counts.sent += 1;
    if (flight.begun - flight.due > lateAfterMs) this.counts.late += 1;
    this.timeline.add(flight.due - this.#begin, 'sent');
    this.timeline.inFlight(flight.begun - this.#begin, inFlight);
  }

  gap(ms: number): void {
    this.distributions.icl.record(ms);
  }

  ended(flight: Flight, ending: Ending, at: number): void {
    const tokens = tokensOf(flight);
    const latencies = ending === 'succeeded' ? latenciesOf(flight, at) : undefined;
    const good = latencies !== undefined && isGood(latencies, this.#limits);
    const after = at - this.#begin;
    // Those of the warm-up count here: they stand for as many that the end of the run finds under way.
    if (latencies && after >= 0 && after <= this.#durationMs) {
      this.counts.inTime += 1;
      this.counts.tokensInTime += tokens;
      if (good) this.counts.goodInTime += 1;
    }
    if (!flight.measured) return;
    const due = flight.due - this.#begin;
    this.measuredMs = Math.max(this.measuredMs, after);
    this.wallMs = Math.min(this.measuredMs, this.#durationMs);
    if (latencies) this.#succeeded(flight, due, tokens, latencies, good);
    else if (ending === 'limited') {
      this.counts.limited += 1;
      this.timeline.add(due, 'limited');
    } else if (ending === 'unfinished') this.counts.unfinished += 1;
    else if (ending !== 'succeeded') {
      this.counts.failed += 1;
      this.timeline.add(due, 'failed');
      this.errors.set(ending.failed, (this.errors.get(ending.failed) ?? 0) + 1);
    }
  }

  #succeeded(flight: Flight, due: number, tokens: number, latencies: Latencies, good: boolean): void {
    const { counts, timeline } = this;
    counts.succeeded += 1;
    counts.promptTokens += flight.promptTokens ?? 0;
    counts.outputTokens += tokens;
    if (flight.outputTokens !== undefined) counts.countedByUsage += 1;
    else if (flight.pieces > 0) counts.countedByPieces += 1;
    timeline.add(due, 'succeeded');
    timeline.add(due, 'outputTokens', tokens);
    for (const name of distributionNames) {
      const ms = name === 'icl' ? undefined : latencies[name];
      if (ms === undefined) continue;
      this.distributions[name].record(ms);
      if (name === 'ttft' || name === 'tpot' || name === 'e2e') timeline.record(due, name satisfies SlicedMetric, ms);
    }
    if (good) counts.good += 1;
  }

  merge({ counts, errors, distributions, timeline, measuredMs, wallMs }: PackedTally): void {
    for (const name of Object.keys(counts) as (keyof Counts)[]) this.counts[name] += counts[name];
    for (const [kind, count] of errors) this.errors.set(kind, (this.errors.get(kind) ?? 0) + count);
    for (const name of distributionNames) this.distributions[name].merge(distributions[name]);
    this.timeline.merge(timeline);
    this.measuredMs = Math.max(this.measuredMs, measuredMs);
    this.wallMs = Math.max(this.wallMs, wallMs);
  }

  pack(): PackedTally {
    const { ttft, ttft_from_send, icl, tpot, e2e, e2e_from_send, queue_delay } = this.distributions;
    return {
      counts: this.counts,
      errors: [...this.errors],
      distributions: {
        ttft: ttft.pack(),
        ttft_from_send: ttft_from_send.pack(),
        icl: icl.pack(),
        tpot: tpot.pack(),
        e2e: e2e.pack(),
        e2e_from_send: e2e_from_send.pack(),
        queue_delay: queue_delay.pack(),
      },
      timeline: this.timeline.pack(),
      measuredMs: this.measuredMs,
      wallMs: this.wallMs,
    };
  }
}
