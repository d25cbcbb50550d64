import type { Capability, TopicProfile } from './requirement.ts';
import { type RequirementId, requirementIds, requirements } from './requirements/index.ts';

/** The capability without which a requirement is not about a target; `undefined` where it is about every target. */
export function capabilityOf(id: RequirementId): Capability | undefined {
  const { profile, capability } = requirements[id];
  return capability ?? (isCapability(profile) ? profile : undefined);
}

function isCapability(profile: TopicProfile): profile is Exclude<TopicProfile, 'core' | 'limits' | 'clients'> {
  return profile !== 'core' && profile !== 'limits' && profile !== 'clients';
}

/** Every capability that some requirement is about. */
export const capabilities: readonly Capability[] = [...new Set(requirementIds.flatMap((id) => capabilityOf(id) ?? []))];
