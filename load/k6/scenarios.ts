import type { Scenario } from 'k6/options';
import type { TrafficProfile } from '../../specs/wire.ts';
import { defaultTimeoutSeconds } from './profile.ts';

/** Of a scenario that sends both what is measured and, before it, what is not. */
const trafficName = 'traffic';
const warmUpName = 'warm_up';
/** Of a number of requests, which k6 counts by scenario. */
const countedName = 'measured';

/** k6 takes whole numbers of iterations only; over this unit of time they express any rate of a profile. */
const timeUnitSeconds = 1000;
const perUnit = (rate: number) => Math.round(rate * timeUnitSeconds);

/** k6 runs no scenario for less than a second. */
const seconds = (value: number) => `${Math.max(1000, Math.round(value * 1000))}ms`;

/** Users that k6 holds ready for each request a second, and the most that it may add. */
const readySeconds = 10;
const mostUsers = 5000;

/** The most scenarios that bursts may take: k6 holds each of them ready. */
const mostBursts = 500;

/** How k6 sends what a profile asks for. @param exec the function that sends one request */
export function scenariosOf(profile: TrafficProfile, exec: string): Record<string, Scenario> {
  const { arrival, warmUpSeconds = 0, durationSeconds, requests } = profile;
  const timeoutSeconds = profile.timeoutSeconds ?? defaultTimeoutSeconds;
  // A stream that is under way when its scenario ends is let end, or time out.
  const base = { exec, gracefulStop: seconds(timeoutSeconds + 5) };
  const users = (rate: number) => {
    const preAllocatedVUs = Math.min(mostUsers, Math.ceil(rate * readySeconds) + 1);
    return {
      preAllocatedVUs,
      maxVUs: Math.max(preAllocatedVUs, Math.min(mostUsers, Math.ceil(rate * timeoutSeconds))),
    };
  };
  /** How long measured requests are sent, at so many a second. */
  const measuredSeconds = (rate: number) => Math.min(durationSeconds ?? Infinity, (requests ?? Infinity) / rate);
  switch (arrival.kind) {
    case 'closed': {
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
    case 'constant':
    case 'poisson': {
      const duration = seconds(warmUpSeconds + measuredSeconds(arrival.rate));
      const even = { executor: 'constant-arrival-rate', timeUnit: `${timeUnitSeconds}s` } as const;
      return { [trafficName]: { ...base, ...even, rate: perUnit(arrival.rate), duration, ...users(arrival.rate) } };
    }
    case 'ramp': {
      const { fromRate, stages } = arrival;
      const held = warmUpSeconds > 0 ? [{ toRate: fromRate, seconds: warmUpSeconds }] : [];
      const steps = [...held, ...stages].map((stage) => ({
        target: perUnit(stage.toRate),
        duration: `${Math.round(stage.seconds * 1000)}ms`,
      }));
      const ramping = { executor: 'ramping-arrival-rate', timeUnit: `${timeUnitSeconds}s` } as const;
      const peak = Math.max(fromRate, ...stages.map(({ toRate }) => toRate));
      return { [trafficName]: { ...base, ...ramping, startRate: perUnit(fromRate), stages: steps, ...users(peak) } };
    }
    case 'bursts': {
      const { size, everySeconds } = arrival;
      const span =
        warmUpSeconds + Math.min(durationSeconds ?? Infinity, ((requests ?? Infinity) / size) * everySeconds);
      const count = Math.ceil(span / everySeconds);
      if (count > mostBursts) throw new Error(`${count} bursts are more than the ${mostBursts} that k6 is given`);
      const bursts = Array.from({ length: count }, (_, index) => {
        const at = index * everySeconds;
        const name = `${at < warmUpSeconds ? warmUpName : 'burst'}_${index + 1}`;
        return [
          name,
          { ...base, executor: 'per-vu-iterations', vus: size, iterations: 1, startTime: `${Math.round(at * 1000)}ms` },
        ] as const;
      });
      return Object.fromEntries(bursts);
    }
    case 'trace':
      throw new Error('k6 replays no trace');
  }
}

/** Whether a request counts. @param due when it was due, and @param begun when its scenario began: epoch milliseconds */
export function isMeasured(
  scenario: string,
  due: number,
  begun: number,
  { warmUpSeconds = 0 }: TrafficProfile,
): boolean {
  if (scenario === trafficName) return due >= begun + warmUpSeconds * 1000;
  return !scenario.startsWith(warmUpName);
}

/** When the measurement began, in epoch milliseconds, seen from a request of a scenario that began then. */
export function measuredFrom(scenario: string, begun: number, { arrival, warmUpSeconds = 0 }: TrafficProfile): number {
  if (scenario === countedName) return begun;
  const burst = arrival.kind === 'bursts' ? Number(/\d+$/.exec(scenario)?.[0] ?? 1) - 1 : 0;
  const offset = arrival.kind === 'bursts' ? burst * arrival.everySeconds : 0;
  return begun + (warmUpSeconds - offset) * 1000;
}
