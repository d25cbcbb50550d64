import type { RequirementId } from '../../specs/requirements/index.ts';
import type { Behaviour } from '../behaviour.ts';

/** A deliberate error of the server, and exactly the requirements that it breaks. */
export interface Fault {
  readonly description: string;
  readonly trips: readonly RequirementId[];
  readonly behaviour: Behaviour;
}

export type Faults = Readonly<Record<string, Fault>>;
