import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { scriptedBackend } from '../reference-server/backends/scripted.ts';
import { keyOfTier } from '../reference-server/keys/key-entries.ts';
import { startServer } from '../reference-server/server.ts';
import { runLive } from '../suites/live-run.ts';
import { shareSelfTest } from '../suites/self-test-workers.ts';

const execute = promisify(execFile);
const command = new URL('./stack29-conformance.js', import.meta.url).pathname;
const key = 'sk-bench-key';

/** Milliseconds of the middle run. */
async function median(runs: number, once: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) times.push(await once());
  return times.toSorted((one, other) => one - other)[Math.floor(runs / 2)] ?? Number.NaN;
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function standardRunInProcess(): Promise<void> {
  const server = await startServer({ backend: scriptedBackend(), keys: [keyOfTier(key, 'pro')] });
  const report = await runLive({
    options: { url: server.url, profile: 'standard', only: [], disabledKey: false },
    key,
    disabledKey: undefined,
    timeoutMs: 10_000,
    concurrency: 4,
    startedAt: new Date().toISOString(),
  });
  await server.close();
  if (report.outcome !== 'conformant') throw new Error(`the reference server came out ${report.outcome}`);
}

/** From the start of the process to the first byte that it prints. */
function firstOutput(...args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(process.execPath, [command, ...args]);
    const seen = () => {
      resolve(performance.now() - start);
      child.kill('SIGKILL');
    };
    child.stdout.once('data', seen);
    child.stderr.once('data', seen);
    child.once('error', reject);
  });
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The packed package, installed in an empty folder without its optional peers. */
async function install(): Promise<{ ms: number; bytes: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'stack29-bench-'));
  try {
    const { stdout } = await execute('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder]);
    await writeFile(join(folder, 'package.json'), '{"private":true}');
    const ms = await time(() => execute('npm', ['install', '--silent', `./${stdout.trim()}`], { cwd: folder }));
    return { ms, bytes: await sizeOf(join(folder, 'node_modules')) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function selfTest(): Promise<unknown> {
  const { signal } = new AbortController();
  return shareSelfTest({ workers: availableParallelism(), signal, onTrial: () => {} });
}

function row(what: string, value: string, goal: string): void {
  console.log(`${what.padEnd(58)} ${value.padStart(10)}   goal ${goal}`);
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

row(
  'standard run, scripted backend, one process (median of 5)',
  seconds(await median(5, () => time(standardRunInProcess))),
  'under 2 s',
);
row(
  'standard run, GGUF backend, whole command (median of 3)',
  seconds(await median(3, () => time(() => execute(process.execPath, [command, '--quiet'])))),
  'under 10 s',
);
row('self-test, every fault and dialect', seconds(await time(selfTest)), 'under 60 s');
const coldStart = await median(7, () => firstOutput('--url', 'http://127.0.0.1:9/v1'));
row('cold start to the first line of a run (median of 7)', `${Math.round(coldStart)} ms`, 'under 300 ms');
const installed = await install();
row('install without optional peers', `${(installed.bytes / 1e6).toFixed(1)} MB`, 'under 40 MB');
row('  time', seconds(installed.ms), 'a few seconds');
