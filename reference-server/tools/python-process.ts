import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { timeLimit } from '../time-limit.ts';
import { forkMortal } from './mortal-process.ts';
import {
  type ProgramOutcome,
  type ProgramRequest,
  type RunProgram,
  tooLong,
  tooMuchMemory,
  unawaited,
} from './program-limits.ts';

/** To load the interpreter takes seconds, and more beside other work. */
const startMs = 60_000;
/** What a program makes of JavaScript lies outside of the memory of its interpreter. */
const heapMegabytes = 96;
const lookMs = 20;

const { resolve } = createRequire(import.meta.url);

/** Runs each program in a process of its own. The limit on memory is at least what the interpreter itself needs. */
export const runPython: RunProgram = async (request, signal) => {
  if (signal.aborted) return unawaited;
  let folder: string;
  try {
    folder = dirname(resolve('pyodide'));
  } catch {
    return { error: 'Python is not installed on this server: npm install pyodide brings it' };
  }
  const child = startBare(resolve('#python-program'), folder, request.limits.timeMs);
  const kill = () => child.kill('SIGKILL');
  // Where nothing else ends a program that never pauses and so does not notice that its server has ended.
  process.once('exit', kill);
  try {
    return await outcomeOf(
      child,
      { ...request, limits: { ...request.limits, memoryBytes: memoryFor(request) } },
      signal,
    );
  } finally {
    process.off('exit', kill);
    kill();
  }
};

function memoryFor({ limits }: ProgramRequest): number {
  return Math.max(limits.memoryBytes, 128 * 2 ** 20);
}

/** A process that can read its own program and the interpreter, and do nothing else to the machine. */
function startBare(program: string, interpreter: string, timeMs: number): ChildProcess {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
  const readable = [`${dirname(program)}/`, join(dirname(program), '../package.json'), `${interpreter}/`];
  return forkMortal(program, [pathToFileURL(join(interpreter, 'pyodide.mjs')).href], {
    // It may be as long at work as it takes to load the interpreter twice, which is what its start may take.
    cpuSeconds: Math.ceil((2 * startMs + timeMs) / 1000),
    execArgv: [
      flag,
      ...readable.map((path) => `--allow-fs-read=${path}`),
      '--disallow-code-generation-from-strings',
      '--no-warnings',
      `--max-old-space-size=${heapMegabytes}`,
    ],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

async function outcomeOf(child: ChildProcess, request: ProgramRequest, signal: AbortSignal): Promise<ProgramOutcome> {
  const settled = new AbortController();
  const next = async (limitMs: number): Promise<unknown> => {
    const limit = timeLimit(limitMs, signal);
    limit.signal.addEventListener('abort', () => settled.abort());
    const until = { signal: settled.signal };
    try {
      const [message] = await Promise.race([
        once(child, 'message', until),
        once(child, 'exit', until).then(() => {
          throw new Error('its interpreter ended');
        }),
      ]);
      return message;
    } finally {
      limit.end();
    }
  };
  let memory: { end(): void; readonly exceeded: boolean } | undefined;
  try {
    await next(startMs);
    child.send(request);
    const started = await next(startMs);
    if (started !== 'started') return started as ProgramOutcome;
    memory = boundGrowth(child, request.limits.memoryBytes);
    return (await next(request.limits.timeMs)) as ProgramOutcome;
  } catch (error) {
    const ended = error instanceof Error && error.name !== 'AbortError';
    if (ended && memory?.exceeded) return { error: tooMuchMemory(request.limits) };
    if (ended) return { error: `the program failed beyond its limits: ${error.message}` };
    return { error: memory ? tooLong(request.limits) : `Python was not ready within ${startMs / 1000} seconds` };
  } finally {
    memory?.end();
    settled.abort();
  }
}

/** Ends a process that grows by more than this, where the system tells how large it is: on Linux. */
function boundGrowth(child: ChildProcess, bytes: number): { end(): void; readonly exceeded: boolean } {
  const most = residentBytes(child) + bytes;
  let exceeded = false;
  const timer = setInterval(() => {
    exceeded ||= residentBytes(child) > most;
    if (exceeded) child.kill('SIGKILL');
  }, lookMs);
  return {
    end: () => clearInterval(timer),
    get exceeded() {
      return exceeded;
    },
  };
}

function residentBytes({ pid }: ChildProcess): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
