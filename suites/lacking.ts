import { capabilityOf } from '../specs/capabilities.ts';
import type { RunOptions } from '../specs/evidence.ts';
import type { RequirementId } from '../specs/requirements/index.ts';

/** Why a requirement is not about a target that is said to lack something; `undefined` where it is. */
export function lackOf(id: RequirementId, { without = [] }: Pick<RunOptions, 'without'>): string | undefined {
  const capability = capabilityOf(id);
  if (capability === undefined || !without.includes(capability)) return undefined;
  return `the target is said to lack ${capability} (--without ${capability})`;
}
