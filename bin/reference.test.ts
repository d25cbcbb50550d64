import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { TargetProblem } from '../suites/baseline.ts';
import { startReference } from './reference.ts';

const program = join(import.meta.dirname, '../dist/stack29-conformance.js');
const folder = mkdtempSync(join(tmpdir(), 'stack29-test-'));

beforeAll(() => {
  if (!existsSync(program)) throw new Error('these tests run the built command: npm run build');
  vi.stubEnv('TMPDIR', folder);
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test('the server takes its keys and obeys its fault header, and is gone after its end', async () => {
  const { url, key, disabledKey, exhaustedKey, faultHeader, close } = await startReference(program);
  const status = async (bearer: string, path = 'models', init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${bearer}`, connection: 'close', ...init.headers };
    return (await fetch(`${url}/${path}`, { ...init, headers })).status;
  };
  expect([await status(key), await status(disabledKey)]).toEqual([200, 403]);
  expect(await status(key, 'models', { headers: { [faultHeader]: '503' } })).toBe(503);
  const list = await fetch(`${url}/models`, { headers: { authorization: `Bearer ${key}` } });
  const { data } = (await list.json()) as { readonly data: readonly { readonly id: string }[] };
  const body = JSON.stringify({ model: data[0]?.id, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 });
  const chat = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
  expect(await status(key, 'chat/completions', chat)).toBe(200);
  expect(await status(exhaustedKey, 'chat/completions', chat)).toBe(429);
  expect(readdirSync(folder)).toEqual([]);
  await close();
  await expect(fetch(`${url}/models`)).rejects.toThrow('fetch failed');
});

test('a server that does not come up is told in its own words, and its keys are gone', async () => {
  const script = join(folder, 'broken.mjs');
  writeFileSync(script, 'process.stderr.write("out of models"); process.exit(7);');
  const started = startReference(script);
  await expect(started).rejects.toThrow(TargetProblem);
  await expect(started).rejects.toThrow('the reference server did not start: out of models');
  expect(readdirSync(folder)).toEqual(['broken.mjs']);
});

test('a server that says something else than its readiness is ended', async () => {
  const script = join(folder, 'strange.mjs');
  writeFileSync(script, 'process.send({ type: "hello", pid: process.pid }); setInterval(() => {}, 1000);');
  await expect(startReference(script)).rejects.toThrow('it sent something else than its readiness');
});
