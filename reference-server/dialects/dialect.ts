import type { RequirementId } from '../../specs/requirements/index.ts';
import type { Behaviour } from '../behaviour.ts';

/** A form of the API that the document leaves open, or an oddity that HTTP and its formats allow. */
export interface Dialect {
  readonly description: string;
  readonly behaviour: Behaviour;
  /** The requirements of level MAY that it leaves unmet. */
  readonly notes?: readonly RequirementId[];
}

export type Dialects = Readonly<Record<string, Dialect>>;
