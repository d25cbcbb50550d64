import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { mortal } from './mortal-process.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mortal-'));
  await writeFile(join(folder, 'busy.cjs'), `process.send('running', () => { for (;;); });`);
  const parent = `const child = require('node:child_process').fork(${JSON.stringify(join(folder, 'busy.cjs'))}, [], JSON.parse(process.argv[2]));
child.once('message', () => console.log(child.pid));`;
  await writeFile(join(folder, 'parent.cjs'), parent);
});
afterAll(() => rm(folder, { recursive: true }));

/** Starts a process that starts a busy one, and gives the process id of that. */
async function startBusy(launch: object) {
  const parent = spawn(process.execPath, [join(folder, 'parent.cjs'), JSON.stringify(launch)]);
  const [line] = await once(parent.stdout, 'data');
  return { parent, pid: Number(line) };
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Where it is missing, a program ends by the bound of its time alone, as the next test shows. */
const setpriv = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;

test.runIf(setpriv)('a program that never pauses ends when its parent is killed', { timeout: 60_000 }, async () => {
  const { parent, pid } = await startBusy(mortal([], 600));
  expect(lives(pid)).toBe(true);
  parent.kill('SIGKILL');
  await vi.waitUntil(() => !lives(pid), { timeout: 30_000, interval: 20 });
});

// The bound is a shell's, which Windows has not.
test.skipIf(process.platform === 'win32')('a program ends when it has used its time', { timeout: 60_000 }, async () => {
  const { parent, pid } = await startBusy(mortal([], 1));
  await vi.waitUntil(() => !lives(pid), { timeout: 50_000, interval: 20 });
  parent.kill('SIGKILL');
});
