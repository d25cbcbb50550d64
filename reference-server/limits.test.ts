import { expect, test } from 'vitest';
import { scriptedBackend } from './backends/scripted.ts';
import { plainChat, startRig } from './test-rig.ts';

const keysWith = (limits: object) => ({
  keys: [
    {
      key: 'sk-test-free',
      disabled: false,
      limits: { requestsPerMinute: 100, tokensPerDay: 100_000, concurrent: 5, ...limits },
    },
  ],
});

const limitHeaders = (headers: Headers) =>
  ['limit', 'remaining', 'used'].map((name) => Number(headers.get(`x-ratelimit-${name}`)));

test('every request of a window counts, and the one over the limit is refused until the window ends', async () => {
  const { chat, send } = await startRig({ ...keysWith({ requestsPerMinute: 3 }), windowSeconds: 2 });
  const first = await chat();
  const reset = Number(first.headers.get('x-ratelimit-reset'));
  expect(limitHeaders(first.headers)).toEqual([3, 2, 1]);
  expect(limitHeaders((await send('GET', '/models')).headers)).toEqual([3, 1, 2]);
  expect(limitHeaders((await send('GET', '/nothing')).headers)).toEqual([3, 0, 3]);
  const { status, json, headers } = await chat();
  expect([status, json.error.code]).toEqual([429, 'rate_limit_exceeded']);
  expect(limitHeaders(headers)).toEqual([3, 0, 3]);
  expect(Number(headers.get('x-ratelimit-reset'))).toBe(reset);
  expect(headers.get('retry-after')).toMatch(/^[12]$/);
  await new Promise((resolve) => setTimeout(resolve, reset * 1000 - Date.now() + 20));
  expect(limitHeaders((await chat()).headers)).toEqual([3, 2, 1]);
});

test('the windows of keys and addresses are apart', async () => {
  const { chat } = await startRig(keysWith({ requestsPerMinute: 1 }));
  await chat();
  expect((await chat()).status).toBe(429);
  const keyless = await chat({}, '');
  expect(keyless.status).toBe(401);
  expect(limitHeaders(keyless.headers)).toEqual([100, 99, 1]);
});

test('an address without a key is refused after the limit of the Free tier', async () => {
  const { send } = await startRig();
  for (let count = 0; count < 100; count += 1) expect((await send('GET', '/models', {}, '')).status).toBe(401);
  expect((await send('GET', '/models', {}, '')).status).toBe(429);
});

test('tokens are counted as they are used, and a day has no more of them', async () => {
  const { chat } = await startRig(keysWith({ tokensPerDay: 20 }));
  for (const _ of [1, 2, 3]) expect((await chat()).status).toBe(200);
  const { status, json, headers } = await chat();
  expect([status, json.error.message]).toEqual([429, 'the limit of 20 tokens a day is reached']);
  expect(limitHeaders(headers)).toEqual([20, 0, 20]);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(86_000);
});

test('a generation more than may run at once is refused, and each that ends makes room', async () => {
  const backend = scriptedBackend({ tokensPerSecond: 20 });
  const { chat } = await startRig({ ...keysWith({ concurrent: 2 }), backend });
  const statuses = async () =>
    (await Promise.all([chat(), chat({ stream: true }), chat()])).map(({ status }) => status);
  expect((await statuses()).sort()).toEqual([200, 200, 429]);
  expect((await statuses()).sort()).toEqual([200, 200, 429]);
});

test.each([false, true])('a client that goes away makes room (streamed: %s)', async (stream) => {
  const backend = scriptedBackend({ tokensPerSecond: 20 });
  const { url, chat } = await startRig({ ...keysWith({ concurrent: 1 }), backend });
  const leaving = AbortSignal.timeout(80);
  const request = fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test-free', 'content-type': 'application/json' },
    body: JSON.stringify({ ...plainChat, max_tokens: 1000, stream }),
    signal: leaving,
  });
  await expect(request.then((response) => response.text())).rejects.toThrow();
  await expect.poll(async () => (await chat({ max_tokens: 1 })).status).toBe(200);
});

test('a request that is refused holds no place', async () => {
  const { chat } = await startRig(keysWith({ concurrent: 1 }));
  for (const _ of [1, 2, 3]) expect((await chat({ temperature: 9 })).status).toBe(400);
  expect((await chat()).status).toBe(200);
});
