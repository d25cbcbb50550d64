import type { LoadProfile, TierProfile, TrafficProfile } from '../../specs/wire.ts';
import type { TransportName } from '../engine/wording.ts';
import capacity from '../profiles/capacity.json' with { type: 'json' };
import ramp from '../profiles/ramp.json' with { type: 'json' };
import smoke from '../profiles/smoke.json' with { type: 'json' };
import soak from '../profiles/soak.json' with { type: 'json' };
import spike from '../profiles/spike.json' with { type: 'json' };
import steady from '../profiles/steady.json' with { type: 'json' };
import tierEnterprise from '../profiles/tier-enterprise.json' with { type: 'json' };
import tierFree from '../profiles/tier-free.json' with { type: 'json' };
import tierPro from '../profiles/tier-pro.json' with { type: 'json' };
import tokensPerSecond from '../profiles/tokens-per-second.json' with { type: 'json' };
import { settings } from './settings.ts';

const ready: Readonly<Record<string, object>> = {
  smoke,
  'tokens-per-second': tokensPerSecond,
  steady,
  ramp,
  spike,
  soak,
  capacity,
  'tier-free': tierFree,
  'tier-pro': tierPro,
  'tier-enterprise': tierEnterprise,
};

/** The profile that the environment names or holds, else a ready one. @throws where it is none */
function chosenProfile(fallback: string): LoadProfile {
  const chosen = settings.profile ?? fallback;
  if (chosen.startsWith('{')) return JSON.parse(chosen);
  if (chosen.endsWith('.json')) return JSON.parse(open(chosen));
  if (!Object.hasOwn(ready, chosen)) {
    throw new Error(
      `STACK29_PROFILE is no ready profile, file or JSON; the ready ones: ${Object.keys(ready).join(', ')}`,
    );
  }
  return ready[chosen] as LoadProfile;
}

/** @param only the one transport that the script uses, whatever the profile's mix */
export function trafficProfile(fallback: string, only?: TransportName): TrafficProfile {
  const profile = chosenProfile(fallback);
  if (profile.kind === 'capacity') {
    throw new Error(`profile ${profile.name} searches for a rate, which takes the embedded engine`);
  }
  if (profile.kind !== 'traffic') throw new Error(`profile ${profile.name} is for the tier scripts`);
  const { durationSeconds, requests, arrival } = profile;
  const endsByItself = arrival.kind === 'ramp' || arrival.kind === 'trace';
  if (!endsByItself && durationSeconds === undefined && requests === undefined) {
    throw new Error(`profile ${profile.name} must have durationSeconds or requests`);
  }
  return only === undefined ? profile : { ...profile, workload: { ...profile.workload, transports: { [only]: 1 } } };
}

export function tierProfile(): TierProfile {
  const profile = chosenProfile('tier-free');
  if (profile.kind !== 'tier') throw new Error(`profile ${profile.name} is not one of a tier`);
  return profile;
}

export const defaultTimeoutSeconds = 120;
