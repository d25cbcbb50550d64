import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { timeLimit } from '../time-limit.ts';
import { type ProgramOutcome, type ProgramRequest, type RunProgram, tooLong } from './program-limits.ts';

/** To load the interpreter takes seconds, and more beside other work. */
const startMs = 60_000;

const { resolve } = createRequire(import.meta.url);

/** Runs each program in a process of its own. The limit on memory is at least what the interpreter itself needs. */
export const runPython: RunProgram = async (request, signal) => {
  let folder: string;
  try {
    folder = dirname(resolve('pyodide'));
  } catch {
    return { error: 'Python is not installed on this server: npm install pyodide brings it' };
  }
  const child = startBare(resolve('#python-program'), folder);
  try {
    return await outcomeOf(
      child,
      { ...request, limits: { ...request.limits, memoryBytes: memoryFor(request) } },
      signal,
    );
  } finally {
    child.kill('SIGKILL');
  }
};

function memoryFor({ limits }: ProgramRequest): number {
  return Math.max(limits.memoryBytes, 128 * 2 ** 20);
}

/** A process that can read its own program and the interpreter, and do nothing else to the machine. */
function startBare(program: string, interpreter: string): ChildProcess {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
  const readable = [`${dirname(program)}/`, join(dirname(program), '../package.json'), `${interpreter}/`];
  return fork(program, [pathToFileURL(join(interpreter, 'pyodide.mjs')).href], {
    execArgv: [
      flag,
      ...readable.map((path) => `--allow-fs-read=${path}`),
      '--disallow-code-generation-from-strings',
      '--no-warnings',
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
  let begun = false;
  try {
    await next(startMs);
    child.send(request);
    const started = await next(startMs);
    if (started !== 'started') return started as ProgramOutcome;
    begun = true;
    return (await next(request.limits.timeMs)) as ProgramOutcome;
  } catch (error) {
    const ended = error instanceof Error && error.name !== 'AbortError';
    if (ended) return { error: `the program failed beyond its limits: ${error.message}` };
    return { error: begun ? tooLong(request.limits) : `Python was not ready within ${startMs / 1000} seconds` };
  } finally {
    settled.abort();
  }
}
