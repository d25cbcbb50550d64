import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

const program = join(import.meta.dirname, '../dist/stack29-conformance.js');

interface Started {
  readonly child: ChildProcess;
  /** Everything that it writes to its standard error. */
  readonly words: Promise<string>;
  /** Everything that it writes to its standard output. */
  readonly output: Promise<string>;
}

/** Runs the built command for one test, on a free port and without a key of the environment. */
export const start = (...options: readonly string[]) => startAt(program, options);

export function startAt(path: string, options: readonly string[]): Started {
  if (!existsSync(path)) throw new Error('these tests run the built command: npm run build');
  const { API_KEY: _, ...env } = process.env;
  const child = fork(path, ['serve', '--port', '0', ...options], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const read = (stream: typeof child.stdout) => (stream ? text(stream) : Promise.resolve(''));
  return { child, words: read(child.stderr), output: read(child.stdout) };
}
