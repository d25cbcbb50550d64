import type { LoadProfile, TierProfile, TrafficProfile } from '../../specs/wire.ts';
import type { TransportName } from '../engine/wording.ts';
import { hasEnd } from '../profile-end.ts';
import { readyProfiles } from '../ready-profiles.ts';
import { settings } from './settings.ts';

/** The profile that the environment names or holds, else a ready one. @throws where it is none */
function chosenProfile(fallback: string): LoadProfile {
  const chosen = settings.profile ?? fallback;
  if (chosen.startsWith('{')) return JSON.parse(chosen);
  if (chosen.endsWith('.json')) return JSON.parse(open(chosen));
  if (!Object.hasOwn(readyProfiles, chosen)) {
    throw new Error(
      `STACK29_PROFILE is no ready profile, file or JSON; the ready ones: ${Object.keys(readyProfiles).join(', ')}`,
    );
  }
  // JSON files are typed by their letters, which a test holds to the schema of profiles.
  return readyProfiles[chosen] as LoadProfile;
}

/** @param only the one transport that the script uses, whatever the profile's mix */
export function trafficProfile(fallback: string, only?: TransportName): TrafficProfile {
  const profile = chosenProfile(fallback);
  if (profile.kind === 'capacity') {
    throw new Error(`profile ${profile.name} searches for a rate, which takes the embedded engine`);
  }
  if (profile.kind !== 'traffic') throw new Error(`profile ${profile.name} is for the tier scripts`);
  if (!hasEnd(profile)) throw new Error(`profile ${profile.name} must have durationSeconds or requests`);
  return only === undefined ? profile : { ...profile, workload: { ...profile.workload, transports: { [only]: 1 } } };
}

export function tierProfile(): TierProfile {
  const profile = chosenProfile('tier-free');
  if (profile.kind !== 'tier') throw new Error(`profile ${profile.name} is not one of a tier`);
  return profile;
}
