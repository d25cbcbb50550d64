import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Measurement } from './engine/engine.ts';
import type { Endpoint, Job, Wording } from './engine/job.ts';
import { addPulses, type Pulse } from './engine/pulse.ts';
import type { WorkerReply, WorkerRequest } from './engine/worker.ts';
import type { Measurer } from './measurer.ts';
import { addUp } from './summary.ts';

/** Time for every process to take its job up before the first request is due. */
const headStartMs = 100;

/**
 * Megabytes of young objects that are collected at a time. With the usual 16 a collection stops a client with 2,000 open
 * streams for 5 to 10 ms, by which what it reads meanwhile seems late.
 */
const youngMb = 2;

/**
 * Measures in several processes: each sends its share of the requests at their times, and what they measured is merged.
 * The key reaches them over their channels, not by arguments that others could read.
 */
export function workersMeasurer(endpoint: Endpoint, wording: Wording, count: number): Measurer {
  const program = createRequire(import.meta.url).resolve('#load-worker');
  const workers = Array.from({ length: count }, () =>
    fork(program, [], {
      execArgv: [`--max-semi-space-size=${youngMb}`],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  );
  const kill = () => {
    for (const worker of workers) worker.kill('SIGKILL');
  };
  process.once('exit', kill);
  return {
    async measure(task, signal, onPulse) {
      const begin = String(process.hrtime.bigint() + BigInt(headStartMs * 1e6));
      const pulses = new Map<ChildProcess, Pulse>();
      const stop = () => {
        for (const worker of workers) tell(worker, { type: 'stop' });
      };
      signal.addEventListener('abort', stop);
      try {
        const measuring = workers.map((worker, index) => {
          const job: Job = { ...task, endpoint, wording, share: { index, of: count } };
          return measureIn(worker, { type: 'job', job, begin }, (pulse) => {
            pulses.set(worker, pulse);
            if (pulses.size === count) onPulse(addPulses(pulses.values()));
          });
        });
        if (signal.aborted) stop();
        return addUp(await Promise.all(measuring));
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
    async close() {
      process.off('exit', kill);
      kill();
    },
  };
}

function tell(worker: ChildProcess, request: WorkerRequest): void {
  worker.send(request);
}

function measureIn(
  worker: ChildProcess,
  request: WorkerRequest,
  onPulse: (pulse: Pulse) => void,
): Promise<Measurement> {
  return new Promise((resolve, reject) => {
    const onMessage = (reply: WorkerReply) => {
      if (reply.type === 'pulse') {
        onPulse(reply.pulse);
        return;
      }
      worker.off('message', onMessage).off('exit', onExit);
      if (reply.type === 'measured') resolve(reply.measurement);
      else reject(new Error(`a process of the client failed: ${reply.reason}`));
    };
    const onExit = (code: number | null, signal: string | null) => {
      reject(new Error(`a process of the client ended (${signal ?? `exit code ${code}`})`));
    };
    worker.on('message', onMessage).once('exit', onExit);
    tell(worker, request);
  });
}
