import type { Scenario } from 'k6/options';
import type { TrafficProfile } from '../../specs/wire.ts';
import { defaultTimeoutSeconds } from '../engine/lane.ts';
import type { Plan } from './plan.ts';

/** Of a scenario that sends both what is measured and, before it, what is not. */
const trafficName = 'traffic';
const warmUpName = 'warm_up';
/** Of a number of requests, which k6 counts by scenario. */
const countedName = 'measured';

/** k6 runs no scenario for less than a second. */
const seconds = (value: number) => `${Math.max(1000, Math.round(value * 1000))}ms`;

/** How k6 sends what a profile asks for. @param exec the function that sends one request */
export function scenariosOf(profile: TrafficProfile, plan: Plan, exec: string): Record<string, Scenario> {
  const { arrival, warmUpSeconds = 0, durationSeconds, requests } = profile;
  const timeoutSeconds = profile.timeoutSeconds ?? defaultTimeoutSeconds;
  // A stream that is under way when its scenario ends is let end, or time out.
  const base = { exec, gracefulStop: seconds(timeoutSeconds + 5) };
  if (arrival.kind !== 'closed') return { [trafficName]: { ...base, ...scheduled(plan, timeoutSeconds) } };
  const constant = { ...base, executor: 'constant-vus', vus: arrival.concurrency } as const;
  if (requests === undefined) {
    return { [trafficName]: { ...constant, duration: seconds(warmUpSeconds + (durationSeconds ?? 0)) } };
  }
  const counted = {
    ...base,
    executor: 'shared-iterations',
    vus: Math.min(arrival.concurrency, requests),
    iterations: requests,
    maxDuration: seconds(durationSeconds ?? 86_400),
  } as const;
  if (warmUpSeconds === 0) return { [countedName]: counted };
  return {
    [warmUpName]: { ...constant, duration: seconds(warmUpSeconds) },
    [countedName]: { ...counted, startTime: seconds(warmUpSeconds) },
  };
}

/**
 * Users who each take the next request of a schedule and wait until it is due. The executors of k6 for arrivals space
 * evenly and drop what finds no user free; here such a request is sent late, and its latency counts from when it was due.
 */
function scheduled({ schedule = [], users }: Plan, timeoutSeconds: number) {
  const last = schedule[schedule.length - 1]?.at ?? 0;
  return {
    executor: 'shared-iterations',
    vus: users,
    iterations: schedule.length,
    maxDuration: seconds(last / 1000 + timeoutSeconds + 5),
  } as const;
}

/** Whether a request counts. @param due when it was due, and @param begun when its scenario began: epoch milliseconds */
export function isMeasured(
  scenario: string,
  due: number,
  begun: number,
  { warmUpSeconds = 0 }: TrafficProfile,
): boolean {
  return scenario === trafficName ? due >= begun + warmUpSeconds * 1000 : scenario === countedName;
}

/** When the measurement began, in epoch milliseconds, seen from a request of a scenario that began then. */
export function measuredFrom(scenario: string, begun: number, { warmUpSeconds = 0 }: TrafficProfile): number {
  return scenario === countedName ? begun : begun + warmUpSeconds * 1000;
}
