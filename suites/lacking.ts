import { capabilityOf } from '../specs/capabilities.ts';
import type { RunOptions } from '../specs/evidence.ts';
import type { RequirementId } from '../specs/requirements/index.ts';
import type { Context } from './probe.ts';

/** Why a requirement is not about a target that is said to lack something; `undefined` where it is. */
export function lackOf(id: RequirementId, { without = [] }: Pick<RunOptions, 'without'>): string | undefined {
  const capability = capabilityOf(id);
  if (capability === undefined || !without.includes(capability)) return undefined;
  return `the target is said to lack ${capability} (--without ${capability})`;
}

/** Whether a target is not to be asked for something: the run's options, or what its model declares, say that it lacks it. */
export function lacks(
  capability: 'tools' | 'streaming',
  { options: { without = [] }, baseline: { models, model } }: Context,
): boolean {
  return without.includes(capability) || models.find(({ id }) => id === model)?.[capability] === false;
}
