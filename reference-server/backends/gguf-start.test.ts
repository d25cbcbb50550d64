import { execFileSync, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { shippedPath } from '../../fixtures/model/shipped.ts';
import { loadGgufBackend } from './gguf.ts';
import { GgufClient, GgufStartError } from './gguf-client.ts';
import { type Machine, noBuild } from './gguf-load.ts';

let folder: string;
let shipped: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gguf-start-'));
  shipped = await readFile(shippedPath);
});
afterAll(() => rm(folder, { recursive: true }));

async function refusal(name: string, bytes?: Uint8Array): Promise<string> {
  const modelPath = join(folder, name);
  if (bytes !== undefined) await writeFile(modelPath, bytes);
  const error: unknown = await loadGgufBackend({ modelPath, gpu: false }).catch((thrown: unknown) => thrown);
  if (!(error instanceof GgufStartError)) throw new Error(`${name} was loaded`);
  expect(error.message).toContain(`cannot load the model ${modelPath}: `);
  return error.message;
}

test('a missing file is named', async () => {
  expect(await refusal('missing.gguf')).toContain('the file cannot be opened (ENOENT)');
});

test('a file of another kind is told as such', async () => {
  expect(await refusal('text.gguf', Buffer.from('no model'))).toContain('it is not a GGUF file');
  expect(await refusal('empty.gguf', Buffer.alloc(0))).toContain('it is not a GGUF file');
});

test('what is no regular file is told as such, even a pipe, which nobody writes to', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe.gguf')]);
  expect(await refusal('pipe.gguf')).toContain('it is not a regular file');
  expect(await refusal('.')).toContain('it is not a regular file');
});

test.each([4, 24, 28])('a file of %i bytes is told to be cut short', async (bytes) => {
  expect(await refusal('short.gguf', shipped.subarray(0, bytes))).toContain('the file is cut short or damaged');
});

test('a start that takes too long is ended', async () => {
  const modelPath = join(folder, 'slow.gguf');
  await writeFile(modelPath, shipped);
  const start = loadGgufBackend({ modelPath, gpu: false, startLimitMs: 1 });
  await expect(start).rejects.toThrow('it was not loaded within 0.001 seconds');
});

test('a cut file gives the reason of llama.cpp', async () => {
  expect(await refusal('cut.gguf', shipped.subarray(0, 100_000))).toContain('corrupted or incomplete');
});

test('a vocabulary with a token twice, on which native code aborts, is a start error too, and calls no debugger', async () => {
  const called = join(folder, 'gdb-was-called');
  await writeFile(join(folder, 'gdb'), `#!/bin/sh\necho > '${called}'\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const bytes = Buffer.from(shipped);
  const token = (text: string) => Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(text)]);
  bytes.set(token('A'), bytes.indexOf(token('B')));
  expect(await refusal('twice.gguf', bytes)).toMatch(/ended its process \(SIGABRT\): .*token_to_id/s);
  expect(existsSync(called)).toBe(false);
});

test('a model without a chat template is refused', async () => {
  const bytes = Buffer.from(shipped);
  bytes.write('tokenizer.chat_unknown', bytes.indexOf('tokenizer.chat_template'));
  expect(await refusal('plain.gguf', bytes)).toContain('it has no chat template');
});

test('a GPU that node-llama-cpp has no build for is told as such', async () => {
  const modelPath = join(folder, 'whole.gguf');
  await writeFile(modelPath, shipped);
  const gpu = process.platform === 'darwin' ? 'cuda' : 'metal';
  await expect(loadGgufBackend({ modelPath, gpu })).rejects.toThrow(`no build for ${gpu} on `);
});

test('a process that ends is told with what it said last, though that comes after its end', async () => {
  const program = join(folder, 'ending.mjs');
  await writeFile(
    program,
    `process.once('message', () => {
      process.stderr.write('ggml.c:29: GGML_ASSERT failed\\nat once\\n');
      process.kill(process.pid, 'SIGABRT');
    });`,
  );
  const child = fork(program, { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const model = { id: 'ending', created: 0, contextWindow: 29, vision: false };
  const settings = { gpu: false, contextSize: 29, sequences: 1, threads: 1 } as const;
  const client = new GgufClient(child, { type: 'ready', model, settings, longestToken: 1 }, 29);
  expect(client.isRunning).toBe(true);
  child.send('end');
  expect(await client.ended).toBe('SIGABRT: ggml.c:29: GGML_ASSERT failed at once');
  expect(client.isRunning).toBe(false);
});

test.each<[gpu: 'cuda' | 'metal', machine: Machine, words: string]>([
  ['cuda', { system: 'linux-x64', isInstalled: () => false }, 'install @node-llama-cpp/linux-x64-cuda, or'],
  ['cuda', { system: 'linux-x64', isInstalled: () => true }, 'it needs a driver, and cudart and cublas'],
  ['cuda', { system: 'linux-arm64', isInstalled: () => false }, 'no build for cuda on linux-arm64: take another'],
  ['metal', { system: 'mac-arm64', isInstalled: () => false }, 'install @node-llama-cpp/mac-arm64-metal, or'],
])('for %s on %j it is said what to do', (gpu, machine, words) => {
  expect(noBuild(gpu, machine)).toContain(words);
});

test('without node-llama-cpp the process says how to install it', async () => {
  const built = createRequire(import.meta.url).resolve('#gguf-process');
  await cp(dirname(built), join(folder, 'dist'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  const modelPath = join(folder, 'alone.gguf');
  await writeFile(modelPath, shipped);
  const program = fork(join(folder, 'dist/gguf-process.js'), [JSON.stringify({ modelPath, gpu: false })], {
    execArgv: [],
  });
  const reply = await new Promise((resolve) => program.once('message', resolve));
  const reason = expect.stringMatching(/node-llama-cpp is not installed: run npm install node-llama-cpp@\d/);
  expect(reply).toEqual({ type: 'failed', reason });
  program.disconnect();
});
