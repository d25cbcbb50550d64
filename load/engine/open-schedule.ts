import { dueTimes, type TracedRequest } from './arrival.ts';
import type { Job } from './job.ts';
import { randomFrom } from './random.ts';

export type Lengths = Pick<TracedRequest, 'promptTokens' | 'outputTokens'>;

/** A request of a schedule. */
export interface Due {
  /** Its number in the whole run. */
  readonly index: number;
  /** Milliseconds since the begin. */
  readonly at: number;
  readonly lengths?: Lengths;
}

/** What of a job decides when its requests are due. */
export type Schedule = Pick<Job, 'arrival' | 'seed' | 'warmUpMs' | 'durationMs' | 'requests' | 'share'>;

/**
 * The requests of this process's share. Every process computes all of them, so that together they send just these; the
 * scripts of k6 send the same ones.
 */
export function* openSchedule(schedule: Schedule): Generator<Due> {
  const { warmUpMs, durationMs = Number.POSITIVE_INFINITY, requests = Number.POSITIVE_INFINITY, share } = schedule;
  let index = 0;
  let measured = 0;
  for (const due of arrivalsOf(schedule)) {
    if (due.at >= warmUpMs + durationMs || measured >= requests) return;
    if (due.at >= warmUpMs) measured += 1;
    if (index % share.of === share.index) yield { ...due, index };
    index += 1;
  }
}

function* arrivalsOf({ arrival, seed }: Pick<Job, 'arrival' | 'seed'>): Generator<Omit<Due, 'index'>> {
  if (arrival.kind === 'closed') throw new Error('closed arrivals have no schedule');
  if (arrival.kind === 'trace') {
    for (const { at, ...lengths } of arrival.requests) yield { at: (at * 1000) / arrival.speed, lengths };
    return;
  }
  for (const at of dueTimes(arrival, randomFrom(seed))) yield { at };
}
