import { measure } from './engine/engine.ts';
import type { Endpoint, Job, Wording } from './engine/job.ts';
import type { Pulse } from './engine/pulse.ts';
import { addUp, type Totals } from './summary.ts';

/** What is to be measured, whichever processes do it. */
export type Task = Omit<Job, 'endpoint' | 'wording' | 'share'>;

/** Measures one task at a time. */
export interface Measurer {
  measure(task: Task, signal: AbortSignal, onPulse: (pulse: Pulse) => void): Promise<Totals>;
  close(): Promise<void>;
}

/** Measures in this process. */
export function ownMeasurer(endpoint: Endpoint, wording: Wording): Measurer {
  return {
    async measure(task, signal, onPulse) {
      const job: Job = { ...task, endpoint, wording, share: { index: 0, of: 1 } };
      return addUp([await measure(job, performance.now(), { signal, onPulse })]);
    },
    close: async () => {},
  };
}
