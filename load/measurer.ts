import type { Job } from './engine/job.ts';
import type { Pulse } from './engine/pulse.ts';
import type { Totals } from './summary.ts';

/** What is to be measured, whichever processes do it. */
export type Task = Omit<Job, 'endpoint' | 'wording' | 'share'>;

/** Measures one task at a time. */
export interface Measurer {
  measure(task: Task, signal: AbortSignal, onPulse: (pulse: Pulse) => void): Promise<Totals>;
}
