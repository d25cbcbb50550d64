import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { scriptedBackend } from '../backends/scripted.ts';
import { startRig } from '../test-rig.ts';
import { openRedisStore, type RedisSettings } from './redis-store.ts';
import { BadStore } from './store.ts';

/** Where the tests are to be whole, a machine without Redis fails them. */
const skipped = process.env.STACK29_TEST_REDIS !== 'required' && !isInstalled();

function isInstalled(): boolean {
  try {
    execFileSync('redis-server', ['--version']);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}

async function startRedis(port: number): Promise<ChildProcess> {
  const redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '']);
  for await (const line of redis.stdout) if (String(line).includes('Ready to accept connections')) break;
  redis.stdout.resume();
  return redis;
}

const key = 'sk-test-free';
const keyWith = (limits: object) => [
  { key, disabled: false, limits: { requestsPerMinute: 100, tokensPerDay: 100_000, concurrent: 5, ...limits } },
];

describe.skipIf(skipped)('servers that share a Redis', () => {
  let redis: ChildProcess;
  let port: number;
  let accounts = 0;

  beforeAll(async () => {
    port = await freePort();
    redis = await startRedis(port);
  });
  afterAll(() => void redis.kill('SIGKILL'));

  async function openStore(settings: Partial<RedisSettings> = {}) {
    const url = `redis://127.0.0.1:${port}`;
    const store = await openRedisStore({ url, clock: Date.now, windowSeconds: 60, warn: () => {}, ...settings });
    onTestFinished(() => store.close());
    return store;
  }

  /** Two servers with the same keys, which no test before had. */
  async function twoServers(limits: object, backend = scriptedBackend()) {
    accounts += 1;
    const keys = keyWith(limits).map((entry) => ({ ...entry, key: `${key}-${accounts}` }));
    const servers = [];
    for (const _ of [1, 2]) servers.push(await startRig({ store: await openStore(), keys, backend }));
    const [one, other] = servers;
    if (!one || !other) throw new Error('there are not two servers');
    const auth = `Bearer ${key}-${accounts}`;
    return [one, other].map(
      (server) =>
        (members: object = {}) =>
          server.chat(members, auth),
    );
  }

  test('count the requests of a window together', async () => {
    const [one = never, other = never] = await twoServers({ requestsPerMinute: 4 });
    const used = [];
    for (const chat of [one, other, one, other]) used.push((await chat()).headers.get('x-ratelimit-used'));
    expect(used).toEqual(['1', '2', '3', '4']);
    const refusals = [await one(), await other()];
    expect(refusals.map(({ status }) => status)).toEqual([429, 429]);
    const resets = refusals.map(({ headers }) => Number(headers.get('x-ratelimit-reset')));
    expect(resets[0]).toBe(resets[1]);
    expect(Number(resets[0]) - Date.now() / 1000).toBeGreaterThan(50);
    expect(Number(resets[0]) - Date.now() / 1000).toBeLessThanOrEqual(60);
  });

  test('count the tokens of a day together', async () => {
    const [one = never, other = never] = await twoServers({ tokensPerDay: 20 });
    for (const chat of [one, other, one]) expect((await chat()).status).toBe(200);
    for (const chat of [one, other]) {
      const { status, json } = await chat();
      expect([status, json.error.message]).toEqual([429, 'the limit of 20 tokens a day is reached']);
    }
  });

  test('count the chats at a time together, and each that ends makes room', async () => {
    const backend = scriptedBackend({ tokensPerSecond: 20 });
    const [one = never, other = never] = await twoServers({ concurrent: 2 }, backend);
    for (const _ of [1, 2]) {
      const answers = await Promise.all([one(), other(), one({ stream: true })]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
    }
  });

  test('a server that dies keeps its places until their lease ends, and one that lives keeps them', async () => {
    const [dying, living] = [await openStore({ leaseMs: 600 }), await openStore({ leaseMs: 600 })];
    expect((await dying.places.take('dying', 1))?.running).toBe(1);
    expect((await living.places.take('living', 1))?.running).toBe(1);
    await dying.close();
    expect(await living.places.take('dying', 1)).toBeUndefined();
    await expect.poll(() => living.places.take('dying', 1), { timeout: 5_000 }).toBeDefined();
    expect(await living.places.take('living', 1)).toBeUndefined();
  });

  test('answer what they began, when it goes away in the middle', async () => {
    const lonelyPort = await freePort();
    const lonely = await startRedis(lonelyPort);
    onTestFinished(() => void lonely.kill('SIGKILL'));
    const store = await openStore({ url: `redis://127.0.0.1:${lonelyPort}` });
    const scripted = scriptedBackend({ ttftMs: 500 });
    let generating = 0;
    const generate: typeof scripted.generate = (...asked) => {
      generating += 1;
      return scripted.generate(...asked);
    };
    const { chat } = await startRig({ store, backend: { ...scripted, generate } });
    const begun = chat();
    await expect.poll(() => generating).toBe(1);
    lonely.kill('SIGKILL');
    await once(lonely, 'exit');
    expect((await begun).status).toBe(200);
  });

  test('refuse with 503 while it is away, in the envelope and with limits, and go on once it is back', async () => {
    const lonelyPort = await freePort();
    let lonely = await startRedis(lonelyPort);
    onTestFinished(() => void lonely.kill('SIGKILL'));
    const store = await openStore({ url: `redis://127.0.0.1:${lonelyPort}` });
    const { chat, send, state } = await startRig({ store });
    const health = async () => [(await send('GET', '/../health', {}, '')).status, state.ready];
    expect((await chat()).status).toBe(200);
    expect(await health()).toEqual([200, true]);
    lonely.kill('SIGSTOP');
    expect(await health()).toEqual([503, false]);
    lonely.kill('SIGCONT');
    await expect.poll(health, { timeout: 10_000 }).toEqual([200, true]);
    lonely.kill('SIGKILL');
    await once(lonely, 'exit');
    const { status, json, headers } = await chat();
    expect([status, json.error.code]).toEqual([503, 'service_unavailable']);
    expect(headers.get('x-ratelimit-limit')).toBe('100');
    expect(await health()).toEqual([503, false]);
    lonely = await startRedis(lonelyPort);
    await expect.poll(async () => (await chat()).status, { timeout: 10_000 }).toBe(200);
    expect(await health()).toEqual([200, true]);
  });
});

test('a Redis that is not there is told', async () => {
  const settings = { url: 'redis://127.0.0.1:9', clock: Date.now, windowSeconds: 60, warn: () => {} };
  await expect(openRedisStore(settings)).rejects.toThrow(BadStore);
  await expect(openRedisStore(settings)).rejects.toThrow(
    'Redis cannot be reached at 127.0.0.1:9: connect ECONNREFUSED',
  );
});

const never = (): never => {
  throw new Error('there is no such server');
};
