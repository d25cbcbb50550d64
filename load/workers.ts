import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Endpoint, Job, Wording } from './engine/job.ts';
import { addPulses, type Pulse } from './engine/pulse.ts';
import type { WorkerAnswer, WorkerReply, WorkerRequest } from './engine/worker.ts';
import type { Measurer } from './measurer.ts';
import { addUp } from './summary.ts';

/** Time for the word to begin to reach every process before the first request is due. */
const headStartMs = 50;

/**
 * Megabytes of young objects that are collected at a time. With the usual 16 a collection stops a client with 2,000 open
 * streams for 5 to 10 ms, by which what it reads meanwhile seems late.
 */
const youngMb = 2;

/** The processes that measure, started before it is known what, so that they are there when it is. */
export interface Workers {
  measurerOf(endpoint: Endpoint, wording: Wording): Measurer;
  close(): void;
}

/**
 * Starts processes that measure together: each sends its share of the requests at their times, and what they measured
 * is merged. The key reaches them over their channels, not by arguments that others could read.
 */
export function openWorkers(count: number): Workers {
  const workers = Array.from({ length: count }, startWorker);
  const close = () => {
    process.off('exit', close);
    for (const { kill } of workers) kill();
  };
  process.once('exit', close);
  const measurerOf = (endpoint: Endpoint, wording: Wording): Measurer => ({
    async measure(task, signal, onPulse) {
      const jobs = workers.map(({ ask }, index) => {
        const job: Job = { ...task, endpoint, wording, share: { index, of: count } };
        return ask({ type: 'job', job }, 'ready');
      });
      await Promise.all(jobs);
      const at = String(process.hrtime.bigint() + BigInt(headStartMs * 1e6));
      const pulses = new Map<Worker, Pulse>();
      const measuring = workers.map((worker) =>
        worker.ask({ type: 'begin', at }, 'measured', (pulse) => {
          pulses.set(worker, pulse);
          if (pulses.size === count) onPulse(addPulses(pulses.values()));
        }),
      );
      const stop = () => {
        for (const { tell } of workers) tell({ type: 'stop' });
      };
      signal.addEventListener('abort', stop);
      try {
        if (signal.aborted) stop();
        return addUp((await Promise.all(measuring)).map(({ measurement }) => measurement));
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
  });
  return { measurerOf, close };
}

interface Worker {
  tell(request: WorkerRequest): void;
  /** Asks for an answer of a type. Rejects where the process fails or ends. */
  ask<Type extends WorkerAnswer['type']>(
    request: WorkerRequest,
    type: Type,
    onPulse?: (pulse: Pulse) => void,
  ): Promise<Extract<WorkerAnswer, { type: Type }>>;
  kill(): void;
}

function startWorker(): Worker {
  const child = fork(createRequire(import.meta.url).resolve('#load-worker'), [], {
    execArgv: [`--max-semi-space-size=${youngMb}`],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const end = endOf(child);
  // What cannot be sent any more goes to a process whose end is told.
  const tell = (request: WorkerRequest) => void child.send(request, () => {});
  return {
    tell,
    async ask(request, type, onPulse = () => {}) {
      type Answer = Extract<WorkerAnswer, { type: typeof type }>;
      let onMessage: (reply: WorkerReply) => void = () => {};
      const answered = new Promise<Answer>((resolve, reject) => {
        onMessage = (reply) => {
          if (reply.type === 'pulse') onPulse(reply.pulse);
          else if (reply.type === type) resolve(reply as Answer);
          else if (reply.type === 'failed') reject(new Error(`a process of the client failed: ${reply.reason}`));
        };
      });
      child.on('message', onMessage);
      tell(request);
      try {
        return await Promise.race([answered, end]);
      } finally {
        child.off('message', onMessage);
      }
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Rejects when a process ends, or cannot be started. */
function endOf(child: ChildProcess): Promise<never> {
  const end = new Promise<never>((_, reject) => {
    child.once('error', ({ message }) => reject(new Error(`a process of the client cannot be started: ${message}`)));
    child.once('exit', (code, signal) => {
      reject(new Error(`a process of the client ended (${signal ?? `exit code ${code}`})`));
    });
  });
  // Who asks it something hears of it; nobody else needs to.
  end.catch(() => {});
  return end;
}
