import type { LoadArrival } from '../../specs/wire.ts';
import { exponential, type Random } from './random.ts';

/** A request of a recorded trace. */
export interface TracedRequest {
  /** Seconds since the begin of the trace. */
  readonly at: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** Arrivals that wait for no answer. */
export type OpenArrival = Exclude<LoadArrival, { kind: 'closed' | 'trace' }>;

/** When requests are due, in milliseconds since the begin, in order. Without end where the arrival has none. */
export function* dueTimes(arrival: OpenArrival, random: Random): Generator<number> {
  switch (arrival.kind) {
    case 'constant':
      yield* spread(arrival.rate, [forever(arrival.rate)], () => 1, 0);
      return;
    case 'poisson':
      yield* spread(arrival.rate, [forever(arrival.rate)], () => exponential(random));
      return;
    case 'ramp':
      if (arrival.spacing === 'even') yield* spread(arrival.fromRate, arrival.stages, () => 1, 0);
      else yield* spread(arrival.fromRate, arrival.stages, () => exponential(random));
      return;
    case 'bursts':
      for (let burst = 0; ; burst += 1) {
        for (let request = 0; request < arrival.size; request += 1) yield burst * arrival.everySeconds * 1000;
      }
  }
}

interface Stage {
  readonly toRate: number;
  readonly seconds: number;
}

const forever = (toRate: number): Stage => ({ toRate, seconds: Number.POSITIVE_INFINITY });

/**
 * Spreads requests over a rate that moves in straight lines: the next one comes when the area under the rate has grown
 * by `gap`. Gaps of 1 space evenly, exponential ones make a Poisson process.
 * @param first gap before the first request
 */
function* spread(
  fromRate: number,
  stages: readonly Stage[],
  gap: () => number,
  first: number = gap(),
): Generator<number> {
  let stageBegin = 0;
  let rate = fromRate;
  let target = first;
  for (const { toRate, seconds } of stages) {
    const area = Number.isFinite(seconds) ? (seconds * (rate + toRate)) / 2 : Number.POSITIVE_INFINITY;
    const slope = Number.isFinite(seconds) ? (toRate - rate) / seconds : 0;
    while (target < area) {
      yield (stageBegin + timeOfArea(target, rate, slope)) * 1000;
      target += gap();
    }
    target -= area;
    stageBegin += seconds;
    rate = toRate;
  }
}

/** Seconds after which a rate, from its begin and with its slope, has covered an area. */
function timeOfArea(area: number, rate: number, slope: number): number {
  if (area === 0) return 0;
  // The form of the quadratic formula that is exact for a slope of 0 too.
  return (2 * area) / (rate + Math.sqrt(Math.max(0, rate * rate + 2 * slope * area)));
}
