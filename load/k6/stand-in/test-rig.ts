import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { problemsOf } from '../../../specs/validate.ts';
import type { LoadProfile, LoadResult, TrafficProfile } from '../../../specs/wire.ts';
import type { Endpoint } from '../../engine/job.ts';
import type { Sample } from './protocol.ts';

export const standIn = resolve('dist/k6-stand-in/main.js');

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly samples: readonly Sample[];
  /** What the script wrote as its result; `undefined` where it wrote none. */
  readonly result: LoadResult | undefined;
}

/** Runs a built script, by its name, or the text of one with the files beside it, under the stand-in. */
export async function runUnderStandIn(
  script: string | { readonly text: string; readonly beside?: Readonly<Record<string, string>> },
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  if (!existsSync(standIn)) throw new Error('these tests run built scripts: npm run build');
  const folder = mkdtempSync(join(tmpdir(), 'stack29-k6-'));
  const file = (name: string) => join(folder, name);
  const read = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '');
  if (typeof script === 'object') {
    const files = { 'script.js': script.text, ...script.beside };
    for (const [name, content] of Object.entries(files)) writeFileSync(file(name), content);
  }
  const path = typeof script === 'object' ? file('script.js') : resolve(`dist/k6/${script}.js`);
  const child = spawn(process.execPath, [standIn, 'run', '--out', `json=${file('samples')}`, path], {
    env: { PATH: process.env.PATH, STACK29_RESULT: file('result.json'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  try {
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    const lines = read('samples').split('\n').slice(0, -1);
    const written = read('result.json');
    return {
      code: child.exitCode,
      stdout,
      stderr,
      samples: lines.map((line) => JSON.parse(line)),
      result: written === '' ? undefined : JSON.parse(written),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a script is told of its target and its profile. */
export function envFor({ url, key = '' }: Endpoint, profile: LoadProfile): Record<string, string> {
  return { STACK29_URL: url, STACK29_API_KEY: key, STACK29_PROFILE: JSON.stringify(profile) };
}

/** A profile of traffic for a test: six requests, two at a time. */
export function trafficOf(changes: Partial<TrafficProfile> = {}): TrafficProfile {
  return {
    kind: 'traffic',
    name: 'trial',
    description: '',
    workload: { promptTokens: { from: 8, to: 16 }, outputTokens: 10, transports: { json: 1 } },
    arrival: { kind: 'closed', concurrency: 2 },
    requests: 6,
    timeoutSeconds: 10,
    thresholds: { error_fraction: { atMost: 0 } },
    ...changes,
  };
}

/** A profile of traffic for a test, over one transport. */
export const withTransport = (transport: 'json' | 'sse' | 'websocket') =>
  trafficOf({ workload: { ...trafficOf().workload, transports: { [transport]: 1 } } });

/** The result of a run, which is as its schema says. */
export function valid(result: LoadResult | undefined): LoadResult {
  expect(problemsOf('load-result', result)).toEqual([]);
  return result as LoadResult;
}

/** Those of a metric. */
export const of = (samples: readonly Sample[], metric: string) => samples.filter((sample) => sample.metric === metric);
