import { once } from 'node:events';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { timeLimit } from '../time-limit.ts';
import { type ProgramOutcome, type ProgramRequest, type RunProgram, tooLong, unawaited } from './program-limits.ts';

/** Beyond the time of a program itself: to start what runs it. */
const startMs = 10_000;

/**
 * Runs each program in a thread that runs nothing else meanwhile, and is ended when it takes too long. Programs beyond
 * the threads wait in line.
 */
export function javaScriptThreads(mostThreads = Math.max(2, availableParallelism())): RunProgram {
  const path = createRequire(import.meta.url).resolve('#javascript-program');
  // A thread is kept, since to start one takes longer than most programs.
  const idle: Worker[] = [];
  const waiting: (() => void)[] = [];
  let free = mostThreads;

  const start = (): Worker => {
    const worker = new Worker(path, {
      env: {},
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: 64, stackSizeMb: 8 },
    });
    // One that ends while it waits is not taken again, and its error is nobody's.
    worker.on('error', () => {});
    worker.on('exit', () => {
      if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1);
    });
    return worker;
  };

  return async (request, signal) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      // Whoever waits in line may leave it.
      if (signal.aborted) return unawaited;
      const worker = idle.pop() ?? start();
      worker.ref();
      const { outcome, sound } = await outcomeOf(worker, request, signal);
      if (sound) {
        worker.unref();
        idle.push(worker);
      } else await worker.terminate();
      return outcome;
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}

interface Ended {
  readonly outcome: ProgramOutcome;
  /** The thread can run another program. */
  readonly sound: boolean;
}

async function outcomeOf(worker: Worker, request: ProgramRequest, signal: AbortSignal): Promise<Ended> {
  const limit = timeLimit(request.limits.timeMs + startMs, signal);
  const answered = new AbortController();
  limit.signal.addEventListener('abort', () => answered.abort());
  const until = { signal: answered.signal };
  worker.postMessage(request);
  try {
    const [outcome] = (await Promise.race([
      once(worker, 'message', until),
      once(worker, 'exit', until).then(() => {
        throw new Error('its interpreter ended');
      }),
    ])) as [ProgramOutcome];
    // Every program has an interpreter of its own, so one that answered, for good or ill, leaves nothing behind.
    return { outcome, sound: true };
  } catch (error) {
    if (limit.signal.aborted) return { outcome: { error: tooLong(request.limits) }, sound: false };
    const words = error instanceof Error ? error.message : error;
    return { outcome: { error: `the program failed beyond its limits: ${words}` }, sound: false };
  } finally {
    limit.end();
    // Takes the listeners away.
    answered.abort();
  }
}
