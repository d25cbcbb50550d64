import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { scriptedBackend } from './backends/scripted.ts';
import { plainChat, startRig, until } from './test-rig.ts';

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
  let now = 1_000_000_500;
  const { chat, send } = await startRig({
    ...keysWith({ requestsPerMinute: 3 }),
    windowSeconds: 2,
    clock: () => now,
  });
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
  now = reset * 1000 - 1;
  expect((await chat()).status).toBe(429);
  now = reset * 1000;
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
  expect(limitHeaders(headers)).toEqual([100, 96, 4]);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(86_000);
});

test('a generation more than may run at once is refused, and each that ends makes room', async () => {
  const scripted = scriptedBackend();
  const held: (() => void)[] = [];
  const generate: typeof scripted.generate = async function* (generation, signal) {
    await new Promise<void>((resolve) => held.push(resolve));
    yield* scripted.generate(generation, signal);
  };
  const { chat } = await startRig({ ...keysWith({ concurrent: 2 }), backend: { ...scripted, generate } });
  for (const _ of [1, 2]) {
    const running = [chat(), chat({ stream: true })];
    await until(() => held.length === 2);
    expect((await chat()).status).toBe(429);
    for (const letGo of held.splice(0)) letGo();
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
  }
});

test.each([false, true])('a client that goes away makes room (streamed: %s)', async (stream) => {
  const backend = scriptedBackend({ tokensPerSecond: 20 });
  const { url, chat, state } = await startRig({ ...keysWith({ concurrent: 1 }), backend });
  const leaving = new AbortController();
  const request = fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test-free', 'content-type': 'application/json' },
    body: JSON.stringify({ ...plainChat, max_tokens: 1000, stream }),
    signal: leaving.signal,
  });
  const answer = request.then((response) => response.text());
  await until(() => state.slots.busy === 1);
  leaving.abort();
  await expect(answer).rejects.toThrow();
  await until(() => state.underWay === 0);
  expect((await chat({ max_tokens: 1 })).status).toBe(200);
});

test('a place is taken before a prompt is counted, and free again however that ends', async () => {
  let counting = 0;
  let finish = (_: number) => {};
  const backend = {
    ...scriptedBackend(),
    countPrompt() {
      counting += 1;
      return new Promise<number>((resolve) => {
        finish = resolve;
      });
    },
  };
  const { chat } = await startRig({ ...keysWith({ concurrent: 1 }), backend });
  for (const [tokens, expected] of [
    [3, 200],
    [5000, 400],
    [3, 200],
  ] as const) {
    const before = counting;
    const first = chat();
    await until(() => counting === before + 1);
    expect((await chat()).status).toBe(429);
    finish(tokens);
    expect((await first).status).toBe(expected);
    expect(counting).toBe(before + 1);
  }
});

test('without tokens left no prompt is counted', async () => {
  let counts = 0;
  const scripted = scriptedBackend();
  const countPrompt: typeof scripted.countPrompt = (messages, signal) => {
    counts += 1;
    return scripted.countPrompt(messages, signal);
  };
  const { chat } = await startRig({ ...keysWith({ tokensPerDay: 5 }), backend: { ...scripted, countPrompt } });
  expect((await chat()).status).toBe(200);
  expect((await chat()).status).toBe(429);
  expect(counts).toBe(1);
});

test('a client that goes away while its prompt is counted stops that, and makes room', async () => {
  const leaving = new AbortController();
  const backend = {
    ...scriptedBackend(),
    countPrompt: (messages: readonly { content: string }[], signal: AbortSignal) =>
      new Promise<number>((resolve) => {
        if (messages[0]?.content !== 'long') return resolve(1);
        signal.addEventListener('abort', () => resolve(0));
        leaving.abort();
      }),
  };
  const { url, chat, state } = await startRig({ ...keysWith({ concurrent: 1 }), backend });
  const request = fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test-free', 'content-type': 'application/json' },
    body: JSON.stringify({ ...plainChat, messages: [{ role: 'user', content: 'long' }] }),
    signal: leaving.signal,
  });
  await expect(request).rejects.toThrow();
  await until(() => state.underWay === 0);
  expect((await chat()).status).toBe(200);
});

test('streams that wait behind another one end, too, when their client goes away', async () => {
  let [begun, ended] = [0, 0];
  const scripted = scriptedBackend({ contextWindow: 1_000_000 });
  const generate: typeof scripted.generate = async function* (generation, signal) {
    begun += 1;
    try {
      yield* scripted.generate(generation, signal);
    } finally {
      ended += 1;
    }
  };
  const { url } = await startRig({ backend: { ...scripted, generate } });
  const body = JSON.stringify({ ...plainChat, max_tokens: 900_000, stream: true });
  const head = `Authorization: Bearer sk-test-free\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n${body}`.repeat(2));
  await until(() => begun === 2);
  socket.destroy();
  await until(() => ended === 2);
});

test('a request that is refused holds no place', async () => {
  const { chat } = await startRig(keysWith({ concurrent: 1 }));
  for (const _ of [1, 2, 3]) expect((await chat({ temperature: 9 })).status).toBe(400);
  expect((await chat()).status).toBe(200);
});
