import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { start, startAt } from './command-rig.ts';

async function refusal(...options: readonly string[]): Promise<string> {
  const { child, words } = start(...options);
  const [code] = await once(child, 'exit');
  expect(code).toBe(2);
  return words;
}

test.each<[what: string, options: string[], words: string]>([
  ['an unknown fault', ['--fault', 'stream-without-don'], 'the nearest is stream-without-done'],
  ['an unknown dialect', ['--dialect', 'sse-crfl'], 'the nearest is sse-crlf'],
  ['a name of every object', ['--fault', 'constructor'], 'there is no fault constructor'],
  ['a fault and a dialect', ['--fault', 'list-empty', '--dialect', 'sse-crlf'], 'cannot be used with'],
  ['a port that is none', ['--port', '70000'], 'It takes a whole number from 0 to 65535.'],
  ['an address that is empty, which would be every address', ['--host', ''], 'It takes an address.'],
  ['a pace that is none', ['--tokens-per-second', 'fast'], 'It takes a number of at least 0.'],
  ['a model without a backend for it', ['--backend', 'scripted', '--model', 'a.gguf'], 'need --backend gguf'],
  ['eyes for a model', ['--backend', 'gguf', '--vision'], '--vision needs --backend scripted'],
  ['images for what cannot see', ['--backend', 'scripted', '--allow-image-urls'], 'needs a model that sees'],
  ['a pace for a model', ['--backend', 'gguf', '--ttft', '5'], 'need --backend scripted'],
  [
    'a model that is not there',
    ['--backend', 'gguf', '--model', '/nowhere.gguf'],
    'cannot load the model /nowhere.gguf',
  ],
  ['keys that are not there', ['--backend', 'scripted', '--keys', '/nowhere.json'], 'cannot read the keys'],
  ['a store that is no Redis', ['--limits-store', 'memcached://127.0.0.1'], 'such as redis://127.0.0.1:6379'],
  ['a Redis that is not there', ['--limits-store', 'redis://127.0.0.1:9'], 'Redis cannot be reached at 127.0.0.1:9'],
  ['a state file in no folder', ['--state', '/nowhere/state.db'], 'the state file /nowhere/state.db cannot be used'],
  ['a state file beside Redis', ['--state', 'a.db', '--limits-store', 'redis://127.0.0.1:9'], 'cannot be used with'],
  ['metrics without a port', ['--metrics-listen', '127.0.0.1'], 'It takes an address and a port'],
  ['metrics on a port that is none', ['--metrics-listen', '127.0.0.1:99999'], 'It takes an address and a port'],
  [
    'metrics on an address of another machine',
    ['--backend', 'scripted', '--metrics-listen', '192.0.2.1:9464'],
    'take another --metrics-listen',
  ],
  ['a log of everything', ['--log-level', 'all'], 'Allowed choices are error, warn, info, debug.'],
  ['no place to generate in', ['--parallel', '0'], 'It takes a whole number from 1 to 1000.'],
  ['a window of more than a minute', ['--window', '61'], 'It takes a whole number from 1 to 60.'],
  ['an address of another machine', ['--backend', 'scripted', '--host', '192.0.2.1'], 'cannot listen on 192.0.2.1'],
])('%s is a usage error', async (_, options, words) => {
  expect(await refusal(...options)).toContain(words);
});

test.each<[what: string, options: string[]]>([
  ['an unknown fault', ['--fault', 'constructor']],
  ['an address that is taken by none', ['--backend', 'scripted', '--host', '192.0.2.1']],
  ['a model that is not there', ['--backend', 'gguf', '--model', '/nowhere.gguf']],
])('%s is told in one line, without hints that would not help', async (_, options) => {
  expect(await refusal(...options)).toMatch(/^error: (?!.*(--help|scripted)).*\n$/);
});

test.each(['SIGINT', 'SIGTERM'] as const)('it shows its key, says when it is ready, and %s ends it', async (signal) => {
  const { child, words } = start('--backend', 'scripted', '--dialect', 'version-in-header-only');
  const [{ type, url }] = await once(child, 'message');
  expect(type).toBe('ready');
  child.kill(signal);
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  expect(await words).toMatch(new RegExp(`the key sk-[0-9a-f]{48}\nserving stack29/scripted on ${url}\n$`));
});

test('it ends with the process that started it', async () => {
  const { child } = start('--backend', 'scripted');
  await once(child, 'message');
  child.disconnect();
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
});

test('tokens of the day are used up after a restart, too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stack29-serve-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [keys, state] = [join(folder, 'keys.json'), join(folder, 'state.db')];
  const limits = { tokensPerDay: 30 };
  writeFileSync(keys, JSON.stringify([{ key: 'sk-restart', tier: 'free', limits, tokensUsed: 20 }]));
  const chat = async (url: string) => {
    const body = JSON.stringify({
      model: 'stack29/scripted',
      messages: [{ role: 'user', content: 'Hi' }],
      max_tokens: 9,
    });
    const headers = { authorization: 'Bearer sk-restart', 'content-type': 'application/json' };
    return (await fetch(`${url}/chat/completions`, { method: 'POST', headers, body })).status;
  };
  for (const expected of [[200, 429], [429]]) {
    const { child } = start('--backend', 'scripted', '--keys', keys, '--state', state);
    const [{ url }] = await once(child, 'message');
    for (const status of expected) expect(await chat(url)).toBe(status);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

test.each<[options: string[], status: number]>([
  [['--allow-faults'], 500],
  [[], 200],
])('started with %j it answers a request that asks for a 500 with %i', async (options, status) => {
  const { child } = start('--backend', 'scripted', '--dialect', 'models-public', ...options);
  const [{ url }] = await once(child, 'message');
  expect((await fetch(`${url}/models`, { headers: { 'x-stack29-fault': '500' } })).status).toBe(status);
});

test('it runs Python where its packages are links to another place', { timeout: 90_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stack29-serve-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const root = join(import.meta.dirname, '..');
  for (const name of ['dist', 'package.json']) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const keys = join(folder, 'keys.json');
  writeFileSync(keys, JSON.stringify([{ key: 'sk-python', tier: 'free' }]));
  const options = ['--backend', 'scripted', '--tools', '--keys', keys];
  const { child } = startAt(join(folder, 'dist/stack29-conformance.js'), options);
  const [{ url }] = await once(child, 'message');
  const properties = { code: { enum: ['6 * 7'] }, language: { enum: ['python'] } };
  const parameters = { properties, required: ['code', 'language'] };
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-python', 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'stack29/scripted',
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [{ type: 'function', function: { name: 'execute_code', parameters } }],
      tool_choice: 'required',
      max_tokens: 60,
    }),
  });
  expect([response.status, await response.text()]).toEqual([200, expect.any(String)]);
});
