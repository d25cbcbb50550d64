import { dueTimes, type TracedRequest } from './arrival.ts';
import type { Job } from './job.ts';
import { randomFrom } from './random.ts';

export type Lengths = Pick<TracedRequest, 'promptTokens' | 'outputTokens'>;

/** A request that waits for no answer to another. */
export interface Due {
  /** Its number in the whole run, warm-up included. */
  readonly index: number;
  /** Milliseconds since the begin, which is that of the warm-up. */
  readonly at: number;
  readonly lengths?: Lengths;
}

/** What decides when requests are due. */
export type Plan = Pick<Job, 'arrival' | 'warmUpMs' | 'durationMs' | 'requests' | 'seed' | 'share'>;

/**
 * When the requests of this process's share are due: the one definition for every engine. Every process computes all of
 * them, so that together they send just these. A request that is due before the end of the warm-up is not measured;
 * `durationMs` and `requests` end what is measured, whatever the arrival.
 */
export function* openSchedule(plan: Plan): Generator<Due> {
  const { warmUpMs, durationMs = Number.POSITIVE_INFINITY, requests = Number.POSITIVE_INFINITY, share } = plan;
  let index = 0;
  let measured = 0;
  for (const due of arrivalsOf(plan)) {
    if (due.at >= warmUpMs + durationMs || measured >= requests) return;
    if (due.at >= warmUpMs) measured += 1;
    if (index % share.of === share.index) yield { ...due, index };
    index += 1;
  }
}

function* arrivalsOf({ arrival, seed, warmUpMs }: Plan): Generator<Omit<Due, 'index'>> {
  switch (arrival.kind) {
    case 'closed':
      throw new Error('closed arrivals have no schedule');
    case 'trace':
      for (const { at, ...lengths } of arrival.requests) yield { at: (at * 1000) / arrival.speed, lengths };
      return;
    case 'ramp': {
      // The warm-up holds the first rate, so that the whole shape is measured.
      const held = { toRate: arrival.fromRate, seconds: warmUpMs / 1000 };
      const stages = warmUpMs > 0 ? [held, ...arrival.stages] : arrival.stages;
      for (const at of dueTimes({ ...arrival, stages }, randomFrom(seed))) yield { at };
      return;
    }
    default:
      for (const at of dueTimes(arrival, randomFrom(seed))) yield { at };
  }
}
