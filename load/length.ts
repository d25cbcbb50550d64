import type { LoadProfile, TierProfile, TrafficProfile } from '../specs/wire.ts';
import { mostStepsLeft } from './capacity/search.ts';
import { short } from './report/words.ts';

/** How long a run takes, as its profile says, before a user starts it. */
export function lengthOf(profile: LoadProfile): string {
  switch (profile.kind) {
    case 'traffic': {
      const seconds = secondsOf(profile);
      return Number.isFinite(seconds) ? time(seconds) : `${profile.requests} requests`;
    }
    case 'capacity': {
      const { warmUpSeconds, stepSeconds } = profile.search;
      return `up to ${time(mostStepsLeft(profile.search, []) * (warmUpSeconds + stepSeconds))}`;
    }
    case 'tier':
      return `about ${time(secondsOfChecks(profile))}`;
  }
}

/** Without end of a profile that ends by its requests alone. */
export function secondsOf({ arrival, warmUpSeconds = 0, durationSeconds }: TrafficProfile): number {
  const stages = arrival.kind === 'ramp' ? arrival.stages : [];
  const shape = stages.length > 0 ? stages.reduce((sum, { seconds }) => sum + seconds, 0) : Number.POSITIVE_INFINITY;
  return warmUpSeconds + Math.min(shape, durationSeconds ?? Number.POSITIVE_INFINITY);
}

/** How many windows each check of a tier waits for and fills, about. Who spends a day's tokens knows how many they are. */
const windowsOf = { burst: 2.2, paced: 2.1, concurrency: 1.2, tokens: 0.5 };

function secondsOfChecks({ checks, limits: { windowSeconds = 60 } }: TierProfile): number {
  return checks.reduce((sum, check) => sum + windowsOf[check] * windowSeconds + 5, 0);
}

function time(seconds: number): string {
  return seconds <= 120 ? `${short(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
