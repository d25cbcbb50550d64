import type { TrafficProfile } from '../specs/wire.ts';

/** Whether the traffic of a profile ends: by its arrivals, after a time, or after a number of requests. */
export function hasEnd({ arrival, durationSeconds, requests }: TrafficProfile): boolean {
  return arrival.kind === 'ramp' || arrival.kind === 'trace' || durationSeconds !== undefined || requests !== undefined;
}
