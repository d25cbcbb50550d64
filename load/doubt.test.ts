import { expect, test } from 'vitest';
import type { BoundVerdict, ClientHealth, LoadResult } from '../specs/wire.ts';
import { doubtWords, outcomeOfBounds, withDoubts } from './doubt.ts';

const late: ClientHealth = {
  eventLoopDelayMs: { p50: 5, p99: 40, max: 90 },
  cpu: 0.5,
  lateSends: { count: 9, p99Ms: 25, maxMs: 60 },
  isLimit: true,
  reasons: ['its event loop was late by 40 ms (p99)'],
};

const latency = (actual: number, atMost = 500): BoundVerdict => ({
  name: 'ttft_p95',
  unit: 'ms',
  atMost,
  actual,
  kept: actual <= atMost,
});
const goodput = (actual: number): BoundVerdict => ({
  name: 'goodput',
  unit: '1/s',
  atLeast: 10,
  actual,
  kept: actual >= 10,
});
const errors = (actual: number): BoundVerdict => ({
  name: 'error_fraction',
  unit: '1',
  atMost: 0.01,
  actual,
  kept: actual <= 0.01,
});

const timeouts: LoadResult['errors'] = [{ kind: 'timeout', count: 3 }];
const refusals: LoadResult['errors'] = [{ kind: 'status 503', count: 3 }];
const mostlyRefusals: LoadResult['errors'] = [
  { kind: 'status 503', count: 17 },
  { kind: 'no socket left on this machine', count: 3 },
];
const slowest = (actual: number): BoundVerdict => ({ ...latency(actual), name: 'ttft_max' });
/** Of ten requests. */
const good = (actual: number): BoundVerdict => ({
  name: 'goodput_fraction',
  unit: '1',
  atLeast: 0.9,
  actual,
  kept: actual >= 0.9,
});
const answered = (actual: number): BoundVerdict => ({
  name: 'requests_succeeded',
  unit: '1',
  atLeast: 10,
  actual,
  kept: actual >= 10,
});

const allRefused: LoadResult['errors'] = [{ kind: 'status 503', count: 10 }];

/** A run of ten requests, of which so many failed. */
function seen(clientHealth: ClientHealth, kinds: LoadResult['errors']) {
  const failed = kinds.reduce((sum, { count }) => sum + count, 0);
  const requests = { sent: 10, succeeded: Math.max(0, 10 - failed), failed, limited: 0, unfinished: 0, warmUp: 0 };
  return { clientHealth, errors: kinds, requests };
}

test.each<[string, BoundVerdict, ClientHealth, LoadResult['errors'], ReturnType<typeof outcomeOfBounds>]>([
  ['a latency well below its bound', latency(400), late, [], 'passed'],
  ['a latency just below its bound', latency(470), late, [], 'incomplete'],
  ['a latency just above its bound', latency(530), late, [], 'incomplete'],
  ['a latency far above its bound', latency(700), late, [], 'crossed'],
  ['a latency of a client that used a whole core', latency(100), { ...late, cpu: 0.97 }, [], 'incomplete'],
  ['a rate that was kept', goodput(50), late, [], 'incomplete'],
  ['a rate that was not', goodput(5), late, [], 'incomplete'],
  ['a share of good answers that was kept', good(0.95), late, [], 'incomplete'],
  ['a share of good answers that was missed by slow ones', good(0.5), late, [], 'incomplete'],
  ['a share of good answers that the failures of the target leave out of reach', good(0.5), late, refusals, 'crossed'],
  ['a share of good answers that the own failures kept from its bound', good(0.5), late, timeouts, 'incomplete'],
  ['nothing good, as the target failed all', good(0), late, allRefused, 'crossed'],
  ['no good answer in a second, as the target failed all', goodput(0), late, allRefused, 'crossed'],
  ['nothing good, as all were waited for in vain', good(0), late, [{ kind: 'timeout', count: 10 }], 'incomplete'],
  ['no failures', errors(0), late, [], 'passed'],
  ['failures of the target', errors(0.2), late, refusals, 'crossed'],
  ['failures that may be the own', errors(0.2), late, timeouts, 'incomplete'],
  ['failures of the target beside some that are the own', errors(0.2), late, mostlyRefusals, 'crossed'],
  ['failures that are within the bound without the own', errors(0.011), late, mostlyRefusals, 'incomplete'],
  ['too few answers, by no more than failed for the client', answered(7), late, timeouts, 'incomplete'],
  ['too few answers, by more than failed for the client', answered(6), late, timeouts, 'crossed'],
  ['the slowest of all, which the latest send may have been', slowest(580), late, [], 'incomplete'],
  ['the slowest of all, slower than the client ever was', slowest(600), late, [], 'crossed'],
  ['requests that were not sent', errors(0), { ...late, droppedIterations: 4 }, [], 'incomplete'],
  [
    'requests that were sent far too late',
    errors(0),
    { ...late, lateSends: { count: 90, p99Ms: 9970, maxMs: 10_093 } },
    [],
    'incomplete',
  ],
  [
    'failures of a target that was spared',
    errors(0.2),
    { ...late, lateSends: { count: 90, p99Ms: 9970, maxMs: 10_093 } },
    refusals,
    'crossed',
  ],
  [
    'how late the client was, which it knows',
    { name: 'late_send_fraction', unit: '1', atMost: 0.01, actual: 0.9, kept: false },
    { ...late, cpu: 0.97, lateSends: { count: 90, p99Ms: 9970, maxMs: 10_093 } },
    [],
    'crossed',
  ],
  ['nothing measured', { name: 'tpot_p50', unit: 'ms', atMost: 1, kept: false }, late, [], 'crossed'],
  [
    'nothing measured, as the client itself failed',
    { name: 'tpot_p50', unit: 'ms', atMost: 1, kept: false },
    late,
    [{ kind: 'no socket left on this machine', count: 9 }],
    'incomplete',
  ],
])('%s, where the client was the limit', (_what, bound, health, kinds, outcome) => {
  expect(outcomeOfBounds(withDoubts([bound], seen(health, kinds)))).toBe(outcome);
});

test.each<[string, BoundVerdict, ReturnType<typeof outcomeOfBounds>]>([
  ['a latency near its bound', latency(499), 'passed'],
  ['a latency just above its bound', latency(501), 'crossed'],
  ['the slowest of all, slower by no more than the client stood still', slowest(590), 'incomplete'],
  ['the slowest of all, slower than that', slowest(591), 'crossed'],
  ['the slowest of all, within its bound', slowest(499), 'passed'],
  ['what is slowest of a thousand', { ...slowest(590), name: 'e2e_p99.9' }, 'incomplete'],
])('%s, where the client was fast enough but for one moment', (_what, bound, outcome) => {
  const health = { ...late, isLimit: false, reasons: [] };
  const bounds = withDoubts([bound], seen(health, []));
  expect(outcomeOfBounds(bounds)).toBe(outcome);
  const words = `the client stood still for 90 ms, which leaves ${bound.name} in doubt`;
  expect(doubtWords(bounds, health)).toBe(outcome === 'incomplete' ? words : undefined);
});

test('a bound that was crossed for certain crosses the run, whatever is in doubt beside it', () => {
  const bounds = withDoubts([goodput(50), latency(900), errors(0)], seen(late, []));
  expect(bounds.map(({ inDoubt }) => inDoubt)).toEqual([true, undefined, undefined]);
  expect(outcomeOfBounds(bounds)).toBe('crossed');
  expect(outcomeOfBounds([])).toBe('passed');
});
