import { SharedArray } from 'k6/data';
import type { TrafficProfile } from '../../specs/wire.ts';
import type { JobArrival } from '../engine/job.ts';
import { defaultTimeoutSeconds } from '../engine/lane.ts';
import { type Due, openSchedule } from '../engine/schedule.ts';
import { parseTrace } from '../trace-text.ts';
import { settings } from './settings.ts';

/** What is settled once for all users of k6, and by one seed for all runners of a cluster. */
export interface Plan {
  readonly seed: number;
  /** The requests in their order; absent where a user sends when the last answer has come. */
  readonly schedule?: readonly Due[];
  /** How many users send them. */
  readonly users: number;
}

/** So that no user waits for memory: k6 holds a text for each. */
const mostRequests = 2_000_000;

/** The same as the embedded engine makes of the profile under the same seed. To be called while a script is loaded. */
export function planOf(profile: TrafficProfile): Plan {
  const { arrival, warmUpSeconds = 0, durationSeconds, requests, timeoutSeconds = defaultTimeoutSeconds } = profile;
  const seed = new SharedArray('seed', () => [settings.seed ?? Math.floor(Math.random() * 2 ** 31)])[0] ?? 0;
  if (arrival.kind === 'closed') return { seed, users: arrival.concurrency };
  const schedule = new SharedArray('schedule', () => {
    const all: Due[] = [];
    const dues = openSchedule({
      arrival: jobArrival(arrival),
      seed,
      warmUpMs: warmUpSeconds * 1000,
      ...(durationSeconds !== undefined && { durationMs: durationSeconds * 1000 }),
      ...(requests !== undefined && { requests }),
      share: { index: 0, of: 1 },
    });
    for (const due of dues) {
      if (all.length === mostRequests)
        throw new Error(`k6 is given at most ${mostRequests} requests: take a shorter run`);
      all.push(due);
    }
    if (all.length === 0) throw new Error('no request is due within the run: raise its rate or its duration');
    return all;
  });
  // Once, as every user loads the script.
  const users = new SharedArray('users', () => {
    const times: number[] = [];
    for (const { at } of schedule) times.push(at);
    return [usersFor(times, timeoutSeconds)];
  });
  return { seed, schedule, users: users[0] ?? 1 };
}

function jobArrival(arrival: Exclude<TrafficProfile['arrival'], { kind: 'closed' }>): JobArrival {
  if (arrival.kind !== 'trace') return arrival;
  const file = settings.trace ?? besideProfile(arrival.file);
  return { kind: 'trace', requests: parseTrace(open(file), file), speed: arrival.speed ?? 1 };
}

/** A profile names its trace as seen from its own place. */
function besideProfile(file: string): string {
  const folder = /^[^{].*\//.exec(settings.profile ?? '')?.[0] ?? './';
  return file.startsWith('/') ? file : `${folder}${file}`;
}

/** Answers are let take this long before a user is missing. */
const patienceMs = 20_000;

/** The most users that k6 is given of itself: each takes some megabytes. */
const mostUsers = 5000;

/** Users enough for all requests that may be under way at a time. @param schedule its due times, in order */
function usersFor(schedule: readonly number[], timeoutSeconds: number): number {
  if (settings.users !== undefined) return Math.min(settings.users, schedule.length);
  const window = Math.min(patienceMs, timeoutSeconds * 1000);
  let most = 0;
  let first = 0;
  for (const [index, at] of schedule.entries()) {
    while ((schedule[first] ?? at) <= at - window) first += 1;
    most = Math.max(most, index + 1 - first);
  }
  return Math.min(mostUsers, most);
}
