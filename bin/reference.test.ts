import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { shippedPath } from '../fixtures/model/shipped.ts';
import { TargetProblem } from '../suites/baseline.ts';
import { type ReferenceWish, startReference } from './reference.ts';

const program = join(import.meta.dirname, '../dist/stack29-conformance.js');
const otherGpu = process.platform === 'darwin' ? 'cuda' : 'metal';
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

test.each<[what: string, wish: ReferenceWish, words: string]>([
  ['a model that is not there', { tier: 'free', gguf: '/nowhere.gguf' }, '/nowhere.gguf: the file cannot be opened'],
  ['a model that is none', { tier: 'free', gguf: import.meta.filename }, 'it is not a GGUF file'],
  ['a GPU of another system', { tier: 'free', gpu: otherGpu }, `no build for ${otherGpu} on `],
])('%s is told without a hint that would not help', async (_, wish, words) => {
  const error: unknown = await startReference(program, wish).catch((thrown: unknown) => thrown);
  if (!(error instanceof TargetProblem)) throw new Error('the server came up');
  expect([error.kind, error.message]).toEqual(['unreachable', expect.stringContaining(words)]);
  expect(error.message).toMatch(
    /^the reference server did not start: cannot load the model (?!.*(error:|scripted)).*$/,
  );
});

test('where the shipped model cannot be loaded, the hint at other text is for who can choose it', async () => {
  const copy = join(folder, 'without-model');
  onTestFinished(() => rmSync(copy, { recursive: true }));
  const root = join(import.meta.dirname, '..');
  for (const name of ['dist', 'package.json']) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const script = join(copy, 'dist/stack29-conformance.js');
  await expect(startReference(script)).rejects.toThrow(/the file cannot be opened \(ENOENT\)$/);
  const serving = promisify(execFile)(process.execPath, [script, 'serve', '--port', '0']);
  await expect(serving).rejects.toThrow('(ENOENT); or take --backend scripted');
});

test('a model of the user is served in a window that is no larger than usual, and told by its file', async () => {
  const gguf = join(folder, 'wide.gguf');
  const bytes = readFileSync(shippedPath);
  const name = 'llama.context_length';
  // A key is followed by the type of its value, in four bytes.
  bytes.writeUInt32LE(131_072, bytes.indexOf(name) + name.length + 4);
  writeFileSync(gguf, bytes);
  const { url, key, description, close } = await startReference(program, { tier: 'free', gguf, gpu: 'false' });
  onTestFinished(async () => {
    await close();
    rmSync(gguf);
  });
  const list = await fetch(`${url}/models`, { headers: { authorization: `Bearer ${key}`, connection: 'close' } });
  expect(await list.json()).toMatchObject({ data: [{ context_window: 4096 }] });
  expect(description).toBe('the GGUF model wide.gguf with --gpu false');
});

test('a server that says something else than its readiness is ended', async () => {
  const script = join(folder, 'strange.mjs');
  writeFileSync(script, 'process.send({ type: "hello", pid: process.pid }); setInterval(() => {}, 1000);');
  await expect(startReference(script)).rejects.toThrow('it sent something else than its readiness');
});
