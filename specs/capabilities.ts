import type { Capability, TopicProfile } from './requirement.ts';
import { type RequirementId, requirementIds, requirements } from './requirements/index.ts';

/** The capabilities without any of which a requirement is not about a target; empty where it is about every target. */
export function capabilitiesOf(id: RequirementId): readonly Capability[] {
  const { profile, capability = [] } = requirements[id];
  return [isCapability(profile) ? profile : [], capability].flat();
}

function isCapability(profile: TopicProfile): profile is Exclude<TopicProfile, 'core' | 'limits' | 'clients'> {
  return profile !== 'core' && profile !== 'limits' && profile !== 'clients';
}

/** Every capability that some requirement is about. */
export const capabilities: readonly Capability[] = [...new Set(requirementIds.flatMap(capabilitiesOf))];
