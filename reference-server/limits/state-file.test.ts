import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openStateFile } from './state-file.ts';
import { BadStore } from './store.ts';

const start = 1_790_000_000_000;

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stack29-state-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'state.db');
}

test('tokens of a day outlive the server, and end with the day', async () => {
  const path = newPath();
  let now = start;
  const clock = () => now;
  const before = await openStateFile(path, clock);
  const { reset } = await before.tokens.add('one', 5, 100);
  expect(reset).toBe(start / 1000 + 86_400);
  expect(await before.tokens.add('one', 7, 100)).toEqual({ taken: 12, reset });
  before.close();
  now += 3_600_000;
  const after = await openStateFile(path, clock);
  onTestFinished(() => after.close());
  expect(await after.tokens.read('one', 100)).toEqual({ taken: 12, reset });
  expect(await after.tokens.read('other', 100)).toMatchObject({ taken: 0 });
  now = reset * 1000;
  expect(await after.tokens.read('one', 100)).toMatchObject({ taken: 0 });
  expect(await after.tokens.add('one', 3, 100)).toEqual({ taken: 3, reset: reset + 86_400 });
});

test('what a server leaves that was killed in the middle of a write is cleared away', async () => {
  const path = newPath();
  (await openStateFile(path, Date.now)).close();
  mkdirSync(`${path}.lock`);
  utimesSync(`${path}.lock`, start / 1000, start / 1000);
  const state = await openStateFile(path, Date.now);
  onTestFinished(() => state.close());
  expect((await state.tokens.add('one', 1, 100)).taken).toBe(1);
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test('a file that is no database, or in no folder, is told', async () => {
  const path = newPath();
  writeFileSync(path, 'no database\n'.repeat(100));
  await expect(openStateFile(path, Date.now)).rejects.toThrow(BadStore);
  await expect(openStateFile(path, Date.now)).rejects.toThrow(`the state file ${path} cannot be used: file is not a`);
  await expect(openStateFile('/nowhere/state.db', Date.now)).rejects.toThrow(
    'the state file /nowhere/state.db cannot be',
  );
});
