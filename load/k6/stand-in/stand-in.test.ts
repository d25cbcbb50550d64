import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { runUnderStandIn } from './test-rig.ts';

/** A server that answers after so many milliseconds. */
async function slowServer(ms: number): Promise<string> {
  const server = createServer((_, response) => void setTimeout(() => response.end('{}'), ms));
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
    { TARGET: await slowServer(400) },
  );
  const late = samples.filter(({ metric }) => metric === 'late').map(({ value }) => value);
  expect([code, late.length]).toEqual([0, 2]);
  expect(Math.min(...late)).toBeGreaterThanOrEqual(395);
  // Both waited at the same time: the requests began before either was answered.
  const ended = samples.filter(({ metric }) => metric === 'http_reqs').map(({ time }) => time);
  expect(Math.abs((ended[0] ?? 0) - (ended[1] ?? 0))).toBeLessThan(395);
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

test('a request that has no user left is dropped, and a threshold counts it', async () => {
  const arrival = { executor: 'constant-arrival-rate', rate: 20, duration: '1s', preAllocatedVUs: 1, maxVUs: 1 };
  const { code, samples } = await runUnderStandIn(
    {
      text: `
        import http from 'k6/http';
        export const options = {
          ${scenario('s', arrival)},
          thresholds: { dropped_iterations: ['count==0'] },
        };
        export function visit() { http.get(__ENV.TARGET); }`,
    },
    { TARGET: await slowServer(500) },
  );
  const count = (name: string) => samples.filter(({ metric }) => metric === name).length;
  expect(count('iterations') + count('dropped_iterations')).toBe(20);
  expect(count('dropped_iterations')).toBeGreaterThan(10);
  expect(code).toBe(99);
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

/** Each user is a thread, which takes its time on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

test('an evenly growing rate sends what lies under it', async () => {
  const { samples } = await runUnderStandIn({
    text: `
      export const options = { ${scenario('s', {
        executor: 'ramping-arrival-rate',
        startRate: 0,
        timeUnit: '1s',
        preAllocatedVUs: 2,
        maxVUs: 10,
        stages: [
          { target: 10, duration: '1s' },
          { target: 10, duration: '500ms' },
        ],
      })} };
      export function visit() {}`,
  });
  expect(samples.filter(({ metric }) => metric === 'iterations')).toHaveLength(10);
});

test.each([
  ['an executor that does not exist', `${scenario('s', { executor: 'open-loop' })}`, 'open-loop'],
  ['a field that does not exist', `${scenario('s', { executor: 'constant-vus', rate: 1 })}`, 'unknown field rate'],
  ['a rate that is no whole number', scenario('s', { executor: 'constant-arrival-rate', rate: 0.5 }), 'whole number'],
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
