import type { Endpoint } from '../engine/job.ts';
import type { ScriptName } from './scripts.ts';

/** One run of one script. */
export interface K6Task {
  readonly script: ScriptName;
  /** What the script is told by its environment; holds the key, so it is never printed. */
  readonly env: Readonly<Record<string, string>>;
  /** The text of the trace that the profile names. */
  readonly trace: string | undefined;
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  /** Tells of a wait. */
  readonly say: (line: string) => void;
}

/** What came of it. */
export interface K6Outcome {
  /** Where k6 ran, where that is not on this machine itself. */
  readonly place?: string;
  readonly code: number | null;
  /** The result that the script wrote, as text; empty where it wrote none. */
  readonly written: string;
  /** The last of what k6 said. */
  readonly words: string;
}
