import { type Measurement, measure } from './engine.ts';
import type { Job } from './job.ts';
import type { Pulse } from './pulse.ts';

/** To a process that measures. */
export type WorkerRequest =
  /** `begin` is on the system's monotonic clock, which all processes share: nanoseconds, as digits. */
  { readonly type: 'job'; readonly job: Job; readonly begin: string } | { readonly type: 'stop' };

/** From a process that measures. */
export type WorkerReply =
  | { readonly type: 'pulse'; readonly pulse: Pulse }
  | { readonly type: 'measured'; readonly measurement: Measurement }
  | { readonly type: 'failed'; readonly reason: string };

// The one that asks ends this process; a signal from the keyboard goes to both.
process.on('SIGINT', () => {});
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

let stop = new AbortController();

process.on('message', (request: WorkerRequest) => {
  if (request.type === 'stop') stop.abort();
  else void answer(request.job, request.begin);
});

async function answer(job: Job, begin: string): Promise<void> {
  stop = new AbortController();
  const wait = Number(BigInt(begin) - process.hrtime.bigint()) / 1e6;
  try {
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
