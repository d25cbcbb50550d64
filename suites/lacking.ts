import { capabilitiesOf } from '../specs/capabilities.ts';
import type { RunOptions } from '../specs/evidence.ts';
import type { RequirementId } from '../specs/requirements/index.ts';
import type { Baseline, Context } from './probe.ts';

/** Why a requirement is not about a target that is said to lack something; `undefined` where it is. */
export function lackOf(id: RequirementId, { without = [] }: Pick<RunOptions, 'without'>): string | undefined {
  const capability = capabilitiesOf(id).find((one) => without.includes(one));
  return capability && `the target is said to lack ${capability} (--without ${capability})`;
}

const declarations = {
  streaming: 'the model declares that it does not stream',
  tools: 'the model declares that it has no tools',
} as const;

/** Why a requirement is not about the model of a run, by what that says of itself; `undefined` where it is. */
export function declaredLackOf(id: RequirementId, { models, model }: Baseline): string | undefined {
  const declared = models.find((listed) => listed.id === model);
  const words = (['streaming', 'tools'] as const).find(
    (one) => declared?.[one] === false && capabilitiesOf(id).includes(one),
  );
  return words && declarations[words];
}

/** Whether a target is not to be asked for something: the run's options, or what its model declares, say that it lacks it. */
export function lacks(
  capability: 'tools' | 'streaming',
  { options: { without = [] }, baseline: { models, model } }: Context,
): boolean {
  return without.includes(capability) || models.find(({ id }) => id === model)?.[capability] === false;
}
