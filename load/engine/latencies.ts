import { metricOf, type SloMetric, sloMetrics } from '../../specs/metrics.ts';
import type { Flight } from './flight.ts';

/** Of one request, in milliseconds; those that it does not have are absent. */
export type Latencies = Partial<Record<SloMetric | 'queue_delay', number>>;

/** The latencies of a request that was answered whole, as `specs/metrics.ts` defines them. @param at when it ended */
export function latenciesOf(flight: Flight, at: number): Latencies {
  const { due, firstContent, lastContent, pieces } = flight;
  const sent = flight.sent ?? flight.begun;
  const end = lastContent ?? at;
  const tokens = tokensOf(flight);
  return {
    e2e: end - due,
    e2e_from_send: end - sent,
    queue_delay: sent - due,
    ...(firstContent !== undefined && { ttft: firstContent - due, ttft_from_send: firstContent - sent }),
    ...(firstContent !== undefined && pieces > 1 && tokens > 1 && { tpot: (end - firstContent) / (tokens - 1) }),
  };
}

/** Output tokens, by `usage`, or else the pieces that came. */
export function tokensOf({ outputTokens, pieces }: Flight): number {
  return outputTokens ?? pieces;
}

type Limits = readonly (readonly [metric: SloMetric, most: number])[];

/** What each request is held to. @param slos the most that each statistic may be, of each request its metric */
export function limitsOf(slos: Readonly<Record<string, number>>): Limits {
  return Object.entries(slos).flatMap(([statistic, most]) => {
    const metric = sloMetrics.find((name) => name === metricOf(statistic));
    return metric === undefined ? [] : [[metric, most] as const];
  });
}

/** Whether every limit was measured and held. */
export function isGood(latencies: Latencies, limits: Limits): boolean {
  return limits.every(([metric, most]) => (latencies[metric] ?? Number.POSITIVE_INFINITY) <= most);
}
