import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import type { Behaviour } from '../../../reference-server/behaviour.ts';
import type { TrafficProfile } from '../../../specs/wire.ts';
import type { OpenArrival } from '../../engine/arrival.ts';
import { openSchedule } from '../../engine/schedule.ts';
import { endpointOf, startTarget, unlimited } from '../../engine/test-rig.ts';
import { envFor, of, runUnderStandIn, trafficOf, valid, withTransport } from './test-rig.ts';

/** Each user is a thread, which takes its time on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

test('chat: whole bodies, counted by their usage, with no time of a first content', async () => {
  const target = await startTarget({ tokensPerSecond: 200 });
  const { code, samples, result, stdout, stderr } = await runUnderStandIn('chat', envFor(target, trafficOf()));
  const { requests, tokens, metrics, bounds, clientHealth, outcome, profile } = valid(result);
  expect([code, outcome]).toEqual([0, 'passed']);
  expect(requests).toEqual({ sent: 6, succeeded: 6, failed: 0, limited: 0, unfinished: 0, warmUp: 0 });
  expect(tokens).toMatchObject({ output: 60, countedBy: 'usage' });
  // The words that make up the prompt are as many tokens as the profile says.
  expect(tokens.prompt).toBeGreaterThanOrEqual(6 * 8);
  expect(tokens.prompt).toBeLessThanOrEqual(6 * 16);
  expect(Object.keys(metrics)).toEqual(expect.arrayContaining(['e2e', 'goodput', 'output_token_rate']));
  expect(Object.keys(metrics)).not.toEqual(expect.arrayContaining(['ttft']));
  expect(bounds).toEqual([{ name: 'error_fraction', unit: '1', atMost: 0, actual: 0, kept: true }]);
  const lateSends = { count: 0, p99Ms: 0, maxMs: 0 };
  expect(clientHealth).toEqual({ lateSends, droppedIterations: 0, isLimit: false, reasons: [] });
  expect(profile).toEqual(trafficOf());
  expect(of(samples, 'e2e').map(({ tags }) => tags)).toEqual(
    Array(6).fill({ scenario: 'measured', transport: 'json' }),
  );
  for (const { value } of of(samples, 'e2e')) expect(value).toBeGreaterThanOrEqual(44);
  const requestTags = of(samples, 'http_reqs').map(({ tags }) => `${tags.name} ${tags.status}`);
  expect(requestTags.toSorted()).toEqual([...Array(6).fill('chat 200'), ...Array(3).fill('preparation 200')]);
  expect(`${stdout}${stderr}${JSON.stringify(result)}`).not.toContain('sk-');
});

test('a summary without what setup returned has the same counts and the same verdict', async () => {
  const target = await startTarget();
  const { code, result } = await runUnderStandIn('chat', {
    ...envFor(target, trafficOf()),
    STAND_IN_SETUP_DATA: 'none',
  });
  expect([code, valid(result)]).toMatchObject([0, { outcome: 'passed', requests: { succeeded: 6 } }]);
});

test('stream: without the extension it is known whole alone', async () => {
  const target = await startTarget({ tokensPerSecond: 200 });
  const { code, result } = await runUnderStandIn('stream', envFor(target, withTransport('sse')));
  const { requests, tokens, metrics, notes, outcome } = valid(result);
  expect([code, outcome, requests.succeeded]).toEqual([0, 'passed', 6]);
  expect(tokens).toMatchObject({ output: 60, countedBy: 'usage' });
  for (const name of ['ttft', 'ttft_from_send', 'icl', 'tpot']) expect(metrics).not.toHaveProperty(name);
  expect(metrics).toHaveProperty('e2e');
  expect(notes.join()).toContain('no TTFT');
});

test('stream: a bound on what it cannot measure without the extension is crossed', async () => {
  const target = await startTarget();
  const profile = { ...withTransport('sse'), slos: { ttft_p95: 60_000 } };
  const { code, result } = await runUnderStandIn('stream', envFor(target, profile));
  expect([code, valid(result).outcome]).toEqual([99, 'crossed']);
  expect(result?.bounds).toContainEqual({ name: 'ttft_p95', unit: 'ms', atMost: 60_000, kept: false });
});

test('stream: with the extension each piece has its time', async () => {
  const target = await startTarget({ ttftMs: 60, tokensPerSecond: 50 });
  const { code, result, samples } = await runUnderStandIn('stream', {
    ...envFor(target, {
      ...withTransport('sse'),
      slos: { ttft_p95: 60_000 },
      thresholds: { tpot_mean: { atLeast: 0.1 } },
    }),
    STACK29_SSE: 'k6/x/sse',
    STAND_IN_EXTENSIONS: 'k6/x/sse',
  });
  const { metrics, bounds, outcome } = valid(result);
  expect([code, outcome, bounds.every(({ kept }) => kept)]).toEqual([0, 'passed', true]);
  expect(metrics.icl).toMatchObject({ count: 6 * 9 });
  // The server waits at least so long; how much longer it takes is up to the machine.
  for (const { value } of of(samples, 'ttft')) expect(value).toBeGreaterThanOrEqual(58);
  for (const { value } of of(samples, 'e2e')) expect(value).toBeGreaterThanOrEqual(60 + 9 * 20 - 5);
  const median = samples.length > 0 ? (metrics.tpot as { percentiles: Record<string, number> }).percentiles['50'] : 0;
  expect(metrics.stream_token_rate).toEqual({ unit: '1/s', value: 1000 / (median ?? 0) });
});

test('a refusal for a limit is apart: no error, and in no latency', async () => {
  // Three requests prepare the run.
  const target = await startTarget({ limits: { ...unlimited, requestsPerMinute: 3 + 4 } });
  const { code, samples, result } = await runUnderStandIn('chat', envFor(target, trafficOf()));
  expect(valid(result).requests).toMatchObject({ sent: 6, succeeded: 4, failed: 0, limited: 2 });
  expect([of(samples, 'e2e').length, of(samples, 'error_fraction').map(({ value }) => value)]).toEqual([
    4,
    [0, 0, 0, 0],
  ]);
  expect(of(samples, 'http_req_failed').filter(({ value }) => value > 0)).toEqual([]);
  expect([code, result?.outcome]).toEqual([0, 'passed']);
  expect(result?.notes.join()).toContain('2 requests were refused with 429');
});

test('only refusals are no pass', async () => {
  const target = await startTarget({ limits: { ...unlimited, requestsPerMinute: 3 } });
  const { code, result } = await runUnderStandIn('chat', envFor(target, trafficOf({ thresholds: {} })));
  expect([code, valid(result).outcome]).toEqual([99, 'incomplete']);
  expect(result?.requests).toMatchObject({ sent: 6, succeeded: 0, limited: 6 });
});

const cutStream: Behaviour = {
  async *parts(parts) {
    let sent = 0;
    for await (const part of parts) {
      if (sent === 3) return;
      sent += 1;
      yield part;
    }
  },
};

test.each<[kind: string, script: string, behaviour: Behaviour]>([
  ['stream ended early', 'stream', cutStream],
  ['event is not JSON', 'stream', { frame: () => 'data: {"choices"\n\n' }],
  ['status 503', 'chat', { answer: (answer) => (answer.kind === 'completion' ? { ...answer, status: 503 } : answer) }],
  [
    'body is no completion',
    'chat',
    { answer: (answer) => ({ ...answer, ...(answer.kind === 'completion' && { body: {} }) }) },
  ],
])('a failure is told by its kind: %s', async (kind, script, changes) => {
  let chats = 0;
  // What prepares the run goes well.
  const target = await startTarget({
    behaviour: Object.fromEntries(
      Object.entries(changes).map(([seam, change]) => [
        seam,
        (value: never, exchange: never, ...rest: never[]) => {
          if (seam === 'answer' && (value as { kind: string }).kind !== 'models') chats += 1;
          return seam === 'answer' && chats <= 2 ? value : change(value, exchange, ...rest);
        },
      ]),
    ) as Behaviour,
  });
  const { code, result } = await runUnderStandIn(script, envFor(target, trafficOf({ requests: 2 })));
  expect([code, valid(result).errors]).toEqual([99, [{ kind, count: 2 }]]);
  expect(result?.bounds).toMatchObject([{ name: 'error_fraction', actual: 1, kept: false }]);
});

test('a request that takes too long counts as failed', async () => {
  const target = await startTarget({ tokensPerSecond: 2 });
  const { code, result } = await runUnderStandIn(
    'chat',
    envFor(target, trafficOf({ requests: 2, timeoutSeconds: 0.5 })),
  );
  expect([code, valid(result).errors]).toEqual([99, [{ kind: 'timeout', count: 2 }]]);
});

test('soak: the mix of the profile, at a rate, after a warm-up, without a sample of each gap', async () => {
  const target = await startTarget();
  const profile = trafficOf({
    workload: { ...trafficOf().workload, transports: { json: 1, sse: 1 } },
    arrival: { kind: 'poisson', rate: 20 },
    warmUpSeconds: 1,
    durationSeconds: 1,
  });
  const { requests: _, ...timed } = profile;
  const { code, samples, result, stderr } = await runUnderStandIn('soak', {
    ...envFor(target, timed),
    STACK29_SSE: 'k6/x/sse',
    STAND_IN_EXTENSIONS: 'k6/x/sse',
    STACK29_USERS: '4',
  });
  const { requests, metrics, notes, bounds } = valid(result);
  expect([code, bounds.every(({ kept }) => kept), requests.unfinished, stderr]).toEqual([0, true, 0, '']);
  expect(requests.warmUp).toBeGreaterThan(0);
  expect(requests.sent).toBeGreaterThan(0);
  expect(new Set(of(samples, 'requests_succeeded').map(({ tags }) => tags.transport))).toEqual(
    new Set(['json', 'sse']),
  );
  expect(of(samples, 'ttft').length).toBe(
    of(samples, 'requests_succeeded').filter(({ tags }) => tags.transport === 'sse').length,
  );
  expect(metrics).not.toHaveProperty('icl');
  expect(notes.join()).toContain('as the embedded engine has them');
});

const ramp = { kind: 'ramp' as const, fromRate: 2, stages: [{ toRate: 12, seconds: 1 }] };

test.each<[what: string, changes: Partial<TrafficProfile>]>([
  ['an even rate', { arrival: { kind: 'constant', rate: 8 }, durationSeconds: 1 }],
  ['an even rate, as many as are wanted', { arrival: { kind: 'constant', rate: 8 }, requests: 7 }],
  [
    'independent users, after a warm-up',
    { arrival: { kind: 'poisson', rate: 8 }, warmUpSeconds: 1, durationSeconds: 1 },
  ],
  ['an even ramp', { arrival: { ...ramp, spacing: 'even' } }],
  ['a ramp of independent users', { arrival: { ...ramp, spacing: 'poisson' } }],
  ['bursts, the last of which is cut', { arrival: { kind: 'bursts', size: 3, everySeconds: 0.4 }, requests: 7 }],
])('requests are due as the embedded engine has them: %s', async (_, changes) => {
  const { requests: _requests, ...profile } = trafficOf();
  const target = await startTarget();
  const { code, result, samples } = await runUnderStandIn('chat', {
    ...envFor(target, { ...profile, ...changes }),
    STACK29_SEED: '11',
    STACK29_USERS: '4',
  });
  const { arrival, warmUpSeconds = 0, durationSeconds = Infinity, requests = Infinity } = { ...profile, ...changes };
  const expected = [
    ...openSchedule({
      arrival: arrival as OpenArrival,
      seed: 11,
      warmUpMs: warmUpSeconds * 1000,
      durationMs: durationSeconds * 1000,
      requests,
      share: { index: 0, of: 1 },
    }),
  ];
  const measured = expected.filter(({ at }) => at >= warmUpSeconds * 1000);
  expect(measured.length).toBeGreaterThan(2);
  expect([code, valid(result).requests]).toMatchObject([
    0,
    { sent: measured.length, succeeded: measured.length, warmUp: expected.length - measured.length },
  ]);
  expect(result?.seed).toBe(11);
  const dues = of(samples, 'measured_begin').map(({ value }) => value);
  const sinceFirst = (times: readonly number[]) =>
    times.toSorted((one, other) => one - other).map((time, __, [first = 0]) => Math.round(time - first));
  expect(sinceFirst(dues)).toEqual(sinceFirst(measured.map(({ at }) => at)));
  // None is sent before it is due.
  for (const { value } of of(samples, 'send_delay')) expect(value).toBeGreaterThanOrEqual(0);
  expect(of(samples, 'send_delay')).toHaveLength(measured.length);
});

test('a trace that lies beside its profile is replayed, with its lengths', async () => {
  const target = await startTarget();
  const lines = [
    { at: 1, promptTokens: 20, outputTokens: 9 },
    { at: 0, promptTokens: 10, outputTokens: 4 },
  ];
  const { requests: _, ...profile } = trafficOf({ arrival: { kind: 'trace', file: 'trace.jsonl', speed: 4 } });
  const { code, stdout } = await runUnderStandIn(
    {
      text: readFileSync('dist/k6/chat.js', 'utf8'),
      beside: {
        'profile.json': JSON.stringify(profile),
        'trace.jsonl': lines.map((line) => JSON.stringify(line)).join('\n'),
      },
    },
    { ...envFor(target, profile), STACK29_PROFILE: './profile.json', STACK29_RESULT: 'stdout' },
  );
  const { requests, tokens } = valid(JSON.parse(stdout));
  expect([code, requests.succeeded, tokens.output]).toEqual([0, 2, 9 + 4]);
  expect(tokens.prompt).toBe(20 + 10);
});

test('a request that finds no user free is sent late, counts from when it was due, and tells of the client', async () => {
  const target = await startTarget({ tokensPerSecond: 50 });
  const { requests: _, ...profile } = trafficOf({
    arrival: { kind: 'bursts', size: 3, everySeconds: 5 },
    durationSeconds: 1,
  });
  const env = { ...envFor(target, profile), STACK29_USERS: '1' };
  const { code, result, samples, stdout } = await runUnderStandIn('chat', env);
  const { clientHealth, requests } = valid(result);
  expect([code, requests]).toMatchObject([0, { sent: 3, succeeded: 3 }]);
  // Each answer takes 180 ms and more, and the third waits for two.
  const latencies = of(samples, 'e2e').map(({ value }) => value);
  expect(Math.max(...latencies)).toBeGreaterThanOrEqual(3 * 170);
  expect(clientHealth.isLimit).toBe(true);
  // Those that waited, and on a busy machine the first as well.
  expect(clientHealth.lateSends?.count).toBeGreaterThanOrEqual(2);
  expect(clientHealth.reasons.join()).toContain('STACK29_USERS');
  expect(stdout).toMatch(/the client was the limit: k6 sent [23] of 3 requests late, by \d+ ms \(p99\): it needs more/);
});

test('a bound on how many are sent late is one of k6, and is in no doubt', async () => {
  const target = await startTarget({ tokensPerSecond: 50 });
  const { requests: _, ...profile } = trafficOf({
    arrival: { kind: 'bursts', size: 3, everySeconds: 5 },
    durationSeconds: 1,
    thresholds: { late_send_fraction: { atMost: 0.5 } },
  });
  const { code, result } = await runUnderStandIn('chat', { ...envFor(target, profile), STACK29_USERS: '1' });
  const { outcome, bounds, metrics } = valid(result);
  expect([code, outcome]).toEqual([99, 'crossed']);
  const { value = 0 } = metrics.late_send_fraction as { readonly value?: number };
  expect([2 / 3, 1]).toContain(value);
  expect(bounds).toEqual([{ name: 'late_send_fraction', unit: '1', atMost: 0.5, actual: value, kept: false }]);
});

test('a run that sends nothing is told', async () => {
  const { requests: _, ...profile } = trafficOf({ arrival: { kind: 'poisson', rate: 0.001 }, durationSeconds: 1 });
  const { code, stderr } = await runUnderStandIn('chat', {
    ...envFor(endpointOf('http://127.0.0.1:9/v1'), profile),
    STACK29_SEED: '1',
  });
  expect([code, stderr]).toEqual([107, expect.stringContaining('no request is due within the run')]);
});

test('a counted run is warmed up before it, and counts none of that', async () => {
  const target = await startTarget();
  const profile = trafficOf({ warmUpSeconds: 1, requests: 4 });
  const { code, result, samples } = await runUnderStandIn('chat', envFor(target, profile));
  expect([code, valid(result).requests]).toMatchObject([0, { sent: 4, succeeded: 4 }]);
  expect(result?.requests.warmUp).toBe(of(samples, 'requests_warm_up').length);
  expect(result?.requests.warmUp).toBeGreaterThan(0);
  expect(of(samples, 'e2e')).toHaveLength(4);
});

test('a target that is not there ends the run, and no result reads as a pass', async () => {
  const { code, stderr, result } = await runUnderStandIn(
    'chat',
    envFor(endpointOf('http://127.0.0.1:9/v1'), trafficOf()),
  );
  expect([code, valid(result).outcome]).toEqual([107, 'incomplete']);
  expect(stderr).toContain('the target does not answer');
});

test.each([
  ['no target', {}, 'STACK29_URL'],
  ['a profile that is none', { STACK29_PROFILE: 'smok' }, 'the ready ones: smoke'],
  ['a search', { STACK29_PROFILE: 'capacity' }, 'takes the embedded engine'],
  ['a tier', { STACK29_PROFILE: 'tier-free' }, 'is for the tier scripts'],
])('%s is told', async (_, env, words) => {
  const { code, stderr } = await runUnderStandIn('chat', env as Record<string, string>);
  expect([code, stderr]).toEqual([107, expect.stringContaining(words)]);
});

test('the environment alone chooses a ready profile', async () => {
  const target = await startTarget();
  const { url, key = '' } = target;
  const env = { STACK29_URL: `${url}/`, STACK29_API_KEY: key, STACK29_PROFILE: 'smoke', STACK29_RESULT: 'stdout' };
  const { code, stdout } = await runUnderStandIn('chat', env);
  const result = valid(JSON.parse(stdout));
  expect([code, result.profile.name, result.requests.succeeded, result.target.url]).toEqual([0, 'smoke', 10, url]);
});
