import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import { endpointOf, startTarget } from '../engine/test-rig.ts';

/** That of every target in these tests. */
export const { key = '' } = endpointOf('');

const program = resolve('dist/stack29-conformance.js');

interface LoadRun {
  readonly path?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Interrupts the command when it is aborted. */
  readonly interruption?: AbortSignal;
  /** Interrupts it when it says these words. */
  readonly interruptedAt?: string;
}

/** A target, and an interruption that comes when it has answered more chats than prepare a run or may be under way. */
export async function interruptingTarget() {
  const enough = new AbortController();
  let answered = 0;
  const behaviour: Behaviour = {
    answer: (answer) => {
      answered += answer.kind === 'completion' ? 1 : 0;
      if (answered === 10) enough.abort();
      return answer;
    },
  };
  const { url } = await startTarget({ behaviour });
  return { url, interruption: enough.signal };
}

/** Runs the built command with `--engine k6`. */
export async function load(
  options: readonly string[],
  { path = '/nowhere', env = {}, interruption, interruptedAt }: LoadRun = {},
  engine: readonly string[] = ['--engine', 'k6'],
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  if (!existsSync(program)) throw new Error('these tests run the built command: npm run build');
  const child = spawn(process.execPath, [program, 'load', ...options, ...engine], {
    env: { PATH: path, STACK29_API_KEY: key, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    detached: true,
  });
  // As the keyboard does, it reaches every process of the group.
  const interrupt = () => process.kill(-(child.pid ?? 0), 'SIGINT');
  interruption?.addEventListener('abort', interrupt);
  let said = '';
  child.stderr.on('data', (words) => {
    const before = said;
    said += words;
    if (interruptedAt !== undefined && !before.includes(interruptedAt) && said.includes(interruptedAt)) interrupt();
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, stdout, stderr };
}
