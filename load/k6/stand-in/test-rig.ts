import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { LoadProfile, LoadResult } from '../../../specs/wire.ts';
import type { Sample } from './protocol.ts';

export const standIn = resolve('dist/k6-stand-in.js');

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly samples: readonly Sample[];
  /** What the script wrote as its result; `undefined` where it wrote none. */
  readonly result: LoadResult | undefined;
}

/** Runs a built script, by its name, or the text of one, under the stand-in. */
export async function runUnderStandIn(
  script: string | { readonly text: string },
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  if (!existsSync(standIn)) throw new Error('these tests run built scripts: npm run build');
  const folder = mkdtempSync(join(tmpdir(), 'stack29-k6-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (name: string) => join(folder, name);
  if (typeof script === 'object') writeFileSync(file('script.js'), script.text);
  const path = typeof script === 'object' ? file('script.js') : resolve(`dist/k6/${script}.js`);
  const child = spawn(process.execPath, [standIn, 'run', '--out', `json=${file('samples')}`, path], {
    env: { PATH: process.env.PATH, STACK29_RESULT: file('result.json'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const read = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '');
  return {
    code: child.exitCode,
    stdout,
    stderr,
    samples: read('samples')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)),
    result: read('result.json') === '' ? undefined : JSON.parse(read('result.json')),
  };
}

/** What a script is told of its target and its profile. */
export function envFor(url: string, key: string, profile: LoadProfile): Record<string, string> {
  return { STACK29_URL: url, STACK29_API_KEY: key, STACK29_PROFILE: JSON.stringify(profile) };
}
