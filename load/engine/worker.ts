import { type Measurement, measure } from './engine.ts';
import type { Job } from './job.ts';
import type { Pulse } from './pulse.ts';

/** To a process that measures. */
export type WorkerRequest =
  /** What to measure next; it is answered when the process is ready to begin. */
  | { readonly type: 'job'; readonly job: Job }
  /** `at` is on the system's monotonic clock, which all processes share: nanoseconds, as digits. */
  | { readonly type: 'begin'; readonly at: string }
  | { readonly type: 'stop' };

/** What a process answers: one answer to a job, and one when it has measured. */
export type WorkerAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'measured'; readonly measurement: Measurement };

/** From a process that measures. */
export type WorkerReply =
  | WorkerAnswer
  | { readonly type: 'pulse'; readonly pulse: Pulse }
  | { readonly type: 'failed'; readonly reason: string };

// The one that asks ends this process: a signal that reaches both is for it, which wants to report what was measured.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

let next: { readonly job: Job; readonly stop: AbortController } | undefined;

process.on('message', (request: WorkerRequest) => {
  switch (request.type) {
    case 'job':
      next = { job: request.job, stop: new AbortController() };
      reply({ type: 'ready' });
      return;
    case 'begin':
      void answer(request.at);
      return;
    case 'stop':
      next?.stop.abort();
  }
});

async function answer(at: string): Promise<void> {
  try {
    if (next === undefined) throw new Error('there is no job to begin');
    const { job, stop } = next;
    const wait = Number(BigInt(at) - process.hrtime.bigint()) / 1e6;
    const measurement = await measure(job, performance.now() + wait, {
      signal: stop.signal,
      onPulse: (pulse) => reply({ type: 'pulse', pulse }),
    });
    reply({ type: 'measured', measurement });
  } catch (error) {
    reply({ type: 'failed', reason: String(error) });
  }
}

function reply(message: WorkerReply): void {
  process.send?.(message);
}
