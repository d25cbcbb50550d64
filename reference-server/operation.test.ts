import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { start } from './command-rig.ts';
import { key, plainChat } from './test-rig.ts';
import { openSocket, start as startMessage } from './websocket/socket-rig.ts';

// Each starts programs, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const scripted = ['--backend', 'scripted'];

function keyFile(...more: object[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'stack29-operation-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'keys.json');
  writeFileSync(path, JSON.stringify([{ key, tier: 'pro' }, ...more]));
  return path;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

const ask = (url: string, path: string, init: RequestInit = {}) =>
  fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' } });

const chat = (url: string, members: object = {}) =>
  ask(url, '/chat/completions', { method: 'POST', body: JSON.stringify({ ...plainChat, ...members }) });

/** The command with a stream under way of which a token comes each 20 ms. */
async function startStreaming(tokens: number, ...options: readonly string[]) {
  const pace = ['--tokens-per-second', '50'];
  const { child, words } = start(...scripted, ...pace, '--keys', keyFile(), ...options);
  const [{ url }] = await once(child, 'message');
  const exit = once(child, 'exit').then(([code]: readonly unknown[]) => code);
  const response = await chat(url, { stream: true, max_tokens: tokens });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let received = (await reader?.read())?.value ?? '';
  const rest = async () => {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) received += part.value;
    return received;
  };
  return { child, url, words, exit, rest };
}

describe('an interrupted server', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'lets a stream and a socket end after %s, and ends with 0',
    async (signal) => {
      const { child, url, words, exit, rest } = await startStreaming(50);
      const socket = await openSocket(url);
      socket.say(startMessage({ max_tokens: 20 }));
      await socket.until('content');
      child.kill(signal);
      expect(await rest()).toMatch(/\[DONE\]\n\n$/);
      const types = (await socket.until('error')).map(({ type }) => type);
      expect(types.slice(-2)).toEqual(['done', 'error']);
      expect(await socket.closed).toBe(1001);
      expect(await exit).toBe(0);
      expect(await words).toMatch(/^ending: \d requests and sockets have 30 s;/m);
    },
  );

  test('says what its timeout cut, and ends with 3', async () => {
    const { child, words, exit, rest } = await startStreaming(4_000, '--drain-timeout', '0');
    child.kill('SIGTERM');
    await expect(rest()).rejects.toThrow('terminated');
    expect(await exit).toBe(3);
    expect(await words).toContain('1 requests and sockets were cut: --drain-timeout');
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('ends at once with a second %s', async (signal, code) => {
    const { child, words, exit, rest } = await startStreaming(4_000);
    child.kill(signal);
    await new Promise<void>((resolve) =>
      child.stderr?.on('data', (data) => String(data).includes('ending') && resolve()),
    );
    child.kill(signal);
    await expect(rest()).rejects.toThrow('terminated');
    expect(await exit).toBe(code);
    expect(await words).not.toContain('cut');
  });

  test('keeps the tokens of the day that were counted while it ended', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stack29-operation-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const state = ['--state', join(folder, 'state.db')];
    const limited = keyFile();
    writeFileSync(
      limited,
      JSON.stringify([{ key, tier: 'enterprise', limits: { requestsPerMinute: 99, tokensPerDay: 20, concurrent: 2 } }]),
    );
    const first = start(...scripted, '--tokens-per-second', '50', '--keys', limited, ...state);
    const [{ url }] = await once(first.child, 'message');
    const response = await chat(url, { stream: true, max_tokens: 30 });
    first.child.kill('SIGTERM');
    expect(await response.text()).toContain('[DONE]');
    expect((await once(first.child, 'exit'))[0]).toBe(0);
    const second = start(...scripted, '--keys', limited, ...state);
    const [{ url: again }] = await once(second.child, 'message');
    expect((await chat(again)).status).toBe(429);
  });
});

test('metrics have a port of their own, which answers without a key to the end', async () => {
  const metrics = `127.0.0.1:${await freePort()}`;
  const { child, url, exit, rest } = await startStreaming(4_000, '--metrics-listen', metrics, '--parallel', '3');
  const read = async () => (await fetch(`http://${metrics}/metrics`)).text();
  expect(await read()).toMatch(/^stack29_slots_busy 1$/m);
  expect(await read()).toMatch(/^stack29_slots 3$/m);
  expect(await read()).toMatch(/^stack29_ready 1$/m);
  expect((await ask(url, '/../metrics')).status).toBe(404);
  child.kill('SIGTERM');
  while (!/^stack29_ready 0$/m.test(await read()));
  child.kill('SIGTERM');
  await expect(rest()).rejects.toThrow('terminated');
  await exit;
});

test('a log is lines of JSON and nothing else, and a key that is made up goes elsewhere', async () => {
  const { child, words, output } = start(...scripted, '--log-level', 'info');
  const [{ url }] = await once(child, 'message');
  await fetch(`${url}/models`);
  child.kill('SIGTERM');
  const lines = (await words)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ msg }) => msg)).toEqual([`serving stack29/scripted on ${url}`, 'request began', 'request ended']);
  expect(await output).toMatch(/^neither .* the key sk-[0-9a-f]{48}\n$/);
  expect(await words).not.toContain('sk-');
});

describe('a model that is loaded', () => {
  test('is waited for with 503, on a port that is open', async () => {
    const port = await freePort();
    const { child } = start('--backend', 'gguf', '--keys', keyFile(), '--port', String(port), '--parallel', '2');
    const url = `http://127.0.0.1:${port}/v1`;
    const ready = once(child, 'message');
    const statuses = new Set<number | undefined>();
    const poll = async () => (await fetch(`${url}/../health`).catch(() => undefined))?.status;
    for (let status = await poll(); status !== 200; status = await poll()) statuses.add(status);
    await ready;
    statuses.delete(undefined);
    expect([...statuses]).toEqual([503]);
  });

  test('is given up when the server is interrupted meanwhile', async () => {
    const { child, words } = start('--backend', 'gguf', '--keys', keyFile(), '--log-level', 'info');
    await new Promise<void>((resolve) => child.stderr?.once('data', () => resolve()));
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
    expect(await words).toMatch(/^[^\n]*listening on http:[^\n]* and loading the model"\}\n$/);
  });
});
