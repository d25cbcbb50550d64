import type { Failure, HeaderList } from './evidence.ts';
import type { Capability, Level } from './requirement.ts';
import type { RequirementId } from './requirements/index.ts';

export const reportFormat = 'stack29-report/1';

/**
 * - `pass`: observed, and as required
 * - `fail`, `warn`, `note`: observed, and a MUST, SHOULD or MAY is broken
 * - `not-applicable`: the target declares that it lacks what the requirement is about
 * - `inconclusive`: could not be observed; the reason says why and what to give
 * - `error`: the suite's own fault
 */
export type Verdict = 'pass' | 'fail' | 'warn' | 'note' | 'not-applicable' | 'inconclusive' | 'error';

/** Nothing that did not run reads as conformant: an inconclusive row makes a run without failures incomplete. */
export type Outcome = 'conformant' | 'non-conformant' | 'incomplete' | 'suite-error';

/** An exchange as a report shows it: masked, and cut to a length that a person reads. */
export interface Excerpt {
  readonly probe: string;
  readonly step: number;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: HeaderList;
    readonly body?: string;
  };
  readonly response?: { readonly status: number; readonly headers: HeaderList; readonly body: string };
  /** What went over a socket, with milliseconds since the request; `…` where messages are left out. */
  readonly messages?: readonly {
    readonly from: 'suite' | 'target' | '…';
    readonly at: number;
    readonly text: string;
  }[];
  readonly failure?: Failure;
}

/** A webhook as a report shows it. */
export interface DeliveryExcerpt {
  readonly method: string;
  readonly path: string;
  readonly headers: HeaderList;
  readonly body: string;
  /** The status that it was answered with. */
  readonly answered: number;
}

export interface Finding {
  /** What was looked at: `finish_reason`, `the last event`. */
  readonly subject: string;
  /** Every form that would have been accepted. */
  readonly expected: readonly string[];
  readonly actual: string;
  /** What came to the run's listener, where that is what is wrong. */
  readonly delivery?: DeliveryExcerpt;
  readonly exchange?: Excerpt;
  /** A shell command that sends the same request; reads the key from STACK29_API_KEY. */
  readonly reproduce?: string;
}

export interface Result {
  readonly id: RequirementId;
  readonly level: Level;
  readonly verdict: Verdict;
  readonly statement: string;
  /** Heading id and title in the API document. */
  readonly source: { readonly id: string; readonly title: string };
  /** Exchanges that the verdict rests on. */
  readonly observed: number;
  /** Why, for `not-applicable`, `inconclusive` and `error`. */
  readonly reason?: string;
  /** What broke the requirement; at most a few, `findingsTotal` counts all. */
  readonly findings: readonly Finding[];
  readonly findingsTotal: number;
}

export interface Report {
  readonly format: typeof reportFormat;
  /** Name and version of the tool that judged. */
  readonly tool: string;
  readonly target: { readonly url: string; readonly model: string };
  readonly profile: { readonly name: string; readonly digest: string; readonly requirements: number };
  readonly only: readonly string[];
  /** What the target was said to lack. */
  readonly without: readonly Capability[];
  readonly startedAt: string;
  readonly durationMs: number;
  readonly cost: { readonly requests: number; readonly promptTokens: number; readonly completionTokens: number };
  readonly outcome: Outcome;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** Which of the accepted forms the target uses, by reading: `{ 'error form': 'identifier in code' }`. */
  readonly dialect: Readonly<Record<string, string>>;
  readonly results: readonly Result[];
}
