import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { of, runUnderStandIn } from './test-rig.ts';

/** Each user is a thread, which takes its time on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

/** A server that answers so many milliseconds after a number of requests are there. */
async function slowServer(ms: number, together = 1): Promise<string> {
  const waiting: ServerResponse[] = [];
  const server = createServer((_, response) => {
    waiting.push(response);
    if (waiting.length < together) return;
    for (const each of waiting.splice(0)) setTimeout(() => each.end('{}'), ms);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const scenario = (name: string, members: object) =>
  `scenarios: { ${name}: ${JSON.stringify({ exec: 'visit', ...members })} }`;
const once = scenario('s', { executor: 'per-vu-iterations', vus: 1, iterations: 1 });

test('a request blocks its user alone', async () => {
  const { code, samples } = await runUnderStandIn(
    {
      text: `
        import http from 'k6/http';
        import { setTimeout } from 'k6/timers';
        import { Trend } from 'k6/metrics';
        const late = new Trend('late');
        export const options = { ${scenario('s', { executor: 'per-vu-iterations', vus: 2, iterations: 1 })} };
        export function visit() {
          const begin = Date.now();
          setTimeout(() => late.add(Date.now() - begin), 1);
          http.get(__ENV.TARGET);
        }`,
    },
    { TARGET: await slowServer(400, 2) },
  );
  const late = samples.filter(({ metric }) => metric === 'late').map(({ value }) => value);
  // Either is answered only once both are there.
  expect([code, late.length]).toEqual([0, 2]);
  expect(Math.min(...late)).toBeGreaterThanOrEqual(395);
});

test('an iteration lasts until nothing that it began is under way', async () => {
  const { samples } = await runUnderStandIn({
    text: `
      import { setTimeout } from 'k6/timers';
      import { Counter } from 'k6/metrics';
      const ended = new Counter('ended');
      export const options = { ${once} };
      export function visit() { setTimeout(() => ended.add(1), 50); }`,
  });
  expect(samples.map(({ metric }) => metric)).toEqual(['ended', 'iterations']);
});

test('what has no time left is dropped, and a threshold counts it', async () => {
  const counted = { executor: 'shared-iterations', vus: 2, iterations: 20, maxDuration: '1s', gracefulStop: '30s' };
  const { code, samples } = await runUnderStandIn(
    {
      text: `
        import http from 'k6/http';
        export const options = {
          ${scenario('s', counted)},
          thresholds: { dropped_iterations: ['count==0'] },
        };
        export function visit() { http.get(__ENV.TARGET); }`,
    },
    { TARGET: await slowServer(500) },
  );
  const sum = (name: string) => of(samples, name).reduce((total, { value }) => total + value, 0);
  expect(sum('iterations') + sum('dropped_iterations')).toBe(20);
  expect(sum('dropped_iterations')).toBeGreaterThan(10);
  expect(code).toBe(99);
});

test('users are given the same array, which is filled once, and copies of its elements', async () => {
  const { code, samples, stderr } = await runUnderStandIn({
    text: `
      import { SharedArray } from 'k6/data';
      import exec from 'k6/execution';
      import { Counter } from 'k6/metrics';
      const all = new SharedArray('all', () => [{ at: Math.random() }, { at: Math.random() }]);
      const [same, sum] = [new Counter('same'), new Counter('sum')];
      export const options = { ${scenario('s', { executor: 'shared-iterations', vus: 3, iterations: 6 })} };
      export function setup() { return { first: all[0].at }; }
      export function visit({ first }) {
        same.add(all[0].at === first && all[2] === undefined && all[0] !== all[0] ? 1 : 0);
        let count = 0;
        for (const { at } of all) count += at > 0 ? 1 : 0;
        sum.add(count);
        if (exec.scenario.iterationInTest === 0) all.map((one) => one);
      }`,
  });
  expect([of(samples, 'same').map(({ value }) => value), of(samples, 'sum').length]).toEqual([Array(6).fill(1), 6]);
  // What k6 does not document of it, a script may not use.
  expect([code, stderr]).toEqual([0, expect.stringContaining('SharedArray has no map')]);
});

test('a user sleeps as long as the script says', async () => {
  const { samples } = await runUnderStandIn({
    text: `
      import { sleep } from 'k6';
      import { Trend } from 'k6/metrics';
      const slept = new Trend('slept');
      export const options = { ${once} };
      export function visit() { const begin = Date.now(); sleep(0.25); slept.add(Date.now() - begin); }`,
  });
  expect(of(samples, 'slept')[0]?.value).toBeGreaterThanOrEqual(249);
});

test.each([
  ['a metric', 'new Counter("late")'],
  ['a shared array', 'new SharedArray("late", () => [])'],
  ['a file', 'open("/etc/hostname")'],
])('%s belongs to the loading of a script', async (_, late) => {
  const { stderr, samples } = await runUnderStandIn({
    text: `
      import { SharedArray } from 'k6/data';
      import { Counter } from 'k6/metrics';
      export const options = { ${once} };
      const gone = new Counter('gone_on');
      export function visit() { ${late}; gone.add(1); }`,
  });
  expect([of(samples, 'gone_on'), stderr]).toEqual([[], expect.stringContaining('while a script is loaded')]);
});

test('a request does not belong to the loading of a script', async () => {
  const { code, stderr } = await runUnderStandIn({
    text: `import http from 'k6/http'; http.get('http://127.0.0.1:9/'); export const options = { ${once} }; export function visit() {}`,
  });
  expect([code, stderr]).toEqual([107, expect.stringContaining('no request can be made')]);
});

test('of its own tags k6 keeps those that the script chooses', async () => {
  const visit = async (options: string) => {
    const { samples } = await runUnderStandIn(
      {
        text: `
          import http from 'k6/http';
          export const options = { ${once}, ${options} };
          export function visit() { http.get(__ENV.TARGET, { tags: { mine: 'yes' } }); }`,
      },
      { TARGET: await slowServer(1) },
    );
    return Object.keys(of(samples, 'http_reqs')[0]?.tags ?? {}).toSorted();
  };
  expect(await visit("systemTags: ['status']")).toEqual(['mine', 'status']);
  expect(await visit('')).toEqual(['expected_response', 'method', 'mine', 'name', 'scenario', 'status', 'url']);
});

test('what outlasts its grace is interrupted', async () => {
  const { samples } = await runUnderStandIn(
    {
      text: `
        import http from 'k6/http';
        export const options = { ${scenario('s', { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '100ms' })} };
        export function visit() { http.get(__ENV.TARGET, { timeout: '30s' }); }`,
    },
    { TARGET: await slowServer(10_000) },
  );
  expect(samples).toEqual([]);
});

test('an empty distribution passes its thresholds, and a count of it does not', async () => {
  const withThresholds = (thresholds: object) =>
    runUnderStandIn({
      text: `
        import { Trend, Counter } from 'k6/metrics';
        const ttft = new Trend('ttft');
        const values = new Counter('values');
        export const options = { ${once}, thresholds: ${JSON.stringify(thresholds)} };
        export function visit() {}`,
    });
  expect((await withThresholds({ ttft: ['p(95)<=500'] })).code).toBe(0);
  expect((await withThresholds({ values: ['count>0'] })).code).toBe(99);
});

test.each([
  ['an executor that does not exist', `${scenario('s', { executor: 'open-loop' })}`, 'open-loop'],
  ['a field that does not exist', `${scenario('s', { executor: 'constant-vus', rate: 1 })}`, 'unknown field rate'],
  ['a part of a user', scenario('s', { executor: 'constant-vus', vus: 0.5 }), 'whole number'],
  ['no user', scenario('s', { executor: 'constant-vus', vus: 0 }), 'above 0'],
  ['less than a second', scenario('s', { executor: 'constant-vus', duration: '900ms' }), 'at least 1s'],
  [
    'more users than iterations',
    scenario('s', { executor: 'shared-iterations', vus: 2, iterations: 1 }),
    '1 iterations for 2 VUs',
  ],
  ['a threshold on no metric', `${once}, thresholds: { ttfb: ['p(95)<1'] }`, 'no metric is called ttfb'],
  ['a threshold in other words', `${once}, thresholds: { http_reqs: ['p(95)<1'] }`, 'invalid threshold'],
])('%s is refused, as by k6', async (_, options, words) => {
  const { code, stderr } = await runUnderStandIn({
    text: `export const options = { ${options} }; export function visit() {}`,
  });
  expect([code, stderr]).toEqual([
    expect.toSatisfy((exit) => exit === 104 || exit === 107),
    expect.stringContaining(words),
  ]);
});

test('a script has what k6 has, and nothing of Node', async () => {
  const absent =
    'fetch URL URLSearchParams AbortController TextDecoder structuredClone performance process Buffer global module ' +
    'exports setImmediate queueMicrotask WebSocket Intl WebAssembly SharedArrayBuffer Atomics WeakRef';
  const present = 'console require __ENV __VU globalThis Promise Map BigInt JSON Proxy';
  const { stderr } = await runUnderStandIn({
    text: `
      export const options = { ${once} };
      const isThere = (name) => typeof globalThis[name] !== 'undefined';
      console.log('absent: ' + '${absent} ${present}'.split(' ').filter((name) => !isThere(name)).join(' '));
      export function visit() {}`,
  });
  expect(stderr.split('\n')[0]).toBe(`absent: ${absent}`);
});
