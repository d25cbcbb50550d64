import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoadProblem } from '../problem.ts';
import { scriptPath } from './scripts.ts';
import type { K6Outcome, K6Task } from './task.ts';

/** Bytes of k6's own words that are kept for a message. */
const mostWords = 4000;

/**
 * Runs a script by a k6 of this machine. An interruption lets k6 end by itself, so that there is a result.
 * @param program its path, or `k6` for the one on PATH
 * @returns `undefined` where there is no such program on PATH
 * @throws LoadProblem where the program that the user names cannot be started
 */
export async function runLocally(
  program: string,
  { script, env, trace, endpoint, signal }: K6Task,
): Promise<K6Outcome | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'stack29-k6-'));
  try {
    const result = join(folder, 'result.json');
    const ca = join(folder, 'ca.pem');
    if (endpoint.ca !== undefined) await writeFile(ca, endpoint.ca);
    const traceFile = join(folder, 'trace.jsonl');
    if (trace !== undefined) await writeFile(traceFile, trace);
    const child = spawn(program, ['run', '--quiet', scriptPath(script)], {
      env: {
        ...process.env,
        ...env,
        STACK29_RESULT: result,
        ...(trace !== undefined && { STACK29_TRACE: traceFile }),
        ...(endpoint.ca !== undefined && { SSL_CERT_FILE: ca }),
        ...(endpoint.insecure && { K6_INSECURE_SKIP_TLS_VERIFY: 'true' }),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
      // In a group of its own: a second signal, as the keyboard would send to ours, makes k6 give its result up.
      detached: true,
    });
    const kill = () => void child.kill('SIGKILL');
    process.once('exit', kill);
    const stop = () => void child.kill('SIGINT');
    signal.addEventListener('abort', stop, { once: true });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = `${words}${text}`.slice(-mostWords);
    });
    try {
      await once(child, 'close');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' && program === 'k6') return undefined;
      throw new LoadProblem('usage', `--k6 ${program} cannot be started: ${message}`);
    } finally {
      signal.removeEventListener('abort', stop);
      process.off('exit', kill);
    }
    return { code: child.exitCode, written: await readFile(result, 'utf8').catch(() => ''), words };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
