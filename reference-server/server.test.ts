import { expect, onTestFinished, test } from 'vitest';
import { problemsOf } from '../specs/validate.ts';
import { heldBackend, key, plainChat, startRig } from './test-rig.ts';

test('the list of models and the single model are as the schemas say', async () => {
  const { send } = await startRig();
  const { json } = await send('GET', '/models');
  expect(problemsOf('models-list', json)).toEqual([]);
  const { id } = json.data[0];
  const plain = await send('GET', `/models/${id}`);
  expect(problemsOf('model', plain.json)).toEqual([]);
  expect((await send('GET', `/models/${encodeURIComponent(id)}`)).json).toEqual(plain.json);
});

test('HEAD gives the headers of GET and no body', async () => {
  const { send } = await startRig();
  const { status, text, headers } = await send('HEAD', '/models');
  expect([status, text]).toEqual([200, '']);
  expect(Number(headers.get('content-length'))).toBeGreaterThan(100);
});

test('health needs no key and spends nothing', async () => {
  const { url } = await startRig();
  const health = () => fetch(url.replace('/v1', '/health'));
  expect(await (await health()).json()).toMatchObject({ status: 'ok', api_version: '1.0', deprecation_date: null });
  expect((await health()).headers.get('x-ratelimit-remaining')).toBe('100');
});

test('a key reads the same whatever the case of its scheme', async () => {
  const { send } = await startRig();
  expect((await send('GET', '/models', {}, 'bearer sk-test-free')).status).toBe(200);
});

test('closing does not wait for open connections, nor for streams', async () => {
  const { url, close } = await startRig({ backend: heldBackend().backend });
  // Its connection stays open for more than a minute.
  expect((await fetch(url.replace('/v1', '/health'))).ok).toBe(true);
  const stream = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...plainChat, stream: true }),
  });
  expect(stream.status).toBe(200);
  await close();
  await expect(stream.text()).rejects.toThrow();
});

test('a client may send any number of requests before it reads an answer', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error) => warnings.push(warning);
  process.on('warning', warn);
  onTestFinished(() => void process.off('warning', warn));
  const { raw } = await startRig();
  const ask = (connection: string) =>
    `GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nConnection: ${connection}\r\n\r\n`;
  const received = await raw(ask('keep-alive').repeat(29) + ask('close'));
  expect(received.match(/HTTP\/1\.1 200 /g)).toHaveLength(30);
  expect(warnings).toEqual([]);
});

test('starting and closing takes a few milliseconds of a processor', async () => {
  const since = process.cpuUsage();
  for (let count = 0; count < 10; count += 1) await (await startRig()).close();
  const { user, system } = process.cpuUsage(since);
  expect((user + system) / 10_000).toBeLessThan(50);
});
