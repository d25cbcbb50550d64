import { expect, test } from 'vitest';
import { dueTimes, type OpenArrival } from './arrival.ts';
import { randomFrom } from './random.ts';
import { openSchedule } from './schedule.ts';
import { endpointOf, jobFor } from './test-rig.ts';

function take(arrival: OpenArrival, count: number, seed = 1): number[] {
  const times = dueTimes(arrival, randomFrom(seed));
  return Array.from({ length: count }, () => times.next().value ?? Number.NaN);
}

test('a constant rate is evenly spaced from the begin', () => {
  expect(take({ kind: 'constant', rate: 4 }, 4)).toEqual([0, 250, 500, 750]);
});

test('independent users have exponential gaps, and the same ones under the same seed', () => {
  const times = take({ kind: 'poisson', rate: 50 }, 20_000);
  const gaps = times.map((time, index) => time - (times[index - 1] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  expect(mean).toBeCloseTo(20, 0);
  // Of an exponential distribution the deviation is the mean, and 1/e of the gaps are longer.
  expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
  expect(gaps.filter((gap) => gap > mean).length / gaps.length).toBeCloseTo(1 / Math.E, 1);
  expect(take({ kind: 'poisson', rate: 50 }, 100)).toEqual(times.slice(0, 100));
  expect(take({ kind: 'poisson', rate: 50 }, 100, 2)).not.toEqual(times.slice(0, 100));
});

test('a ramp sends as many requests as the area under its rate, where the rate is', () => {
  const stages = [
    { toRate: 10, seconds: 10 },
    { toRate: 10, seconds: 5 },
    { toRate: 0, seconds: 10 },
  ];
  const times = [...dueTimes({ kind: 'ramp', fromRate: 0, stages, spacing: 'even' }, randomFrom(1))];
  const within = (from: number, to: number) => times.filter((time) => time >= from && time < to).length;
  expect(times).toHaveLength(150);
  expect([within(0, 5_000), within(5_000, 10_000), within(10_000, 15_000)]).toEqual([13, 37, 50]);
  expect([within(15_000, 20_000), within(20_000, 25_000)]).toEqual([38, 12]);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
});

test('bursts come together', () => {
  expect(take({ kind: 'bursts', size: 3, everySeconds: 2 }, 7)).toEqual([0, 0, 0, 2000, 2000, 2000, 4000]);
});

test('the shares of several processes are the whole, each request once', () => {
  const job = jobFor(
    endpointOf('http://127.0.0.1:9/v1'),
    { kind: 'poisson', rate: 20 },
    { durationMs: 5_000, warmUpMs: 1_000 },
  );
  const whole = [...openSchedule(job)];
  const shares = [0, 1, 2].flatMap((index) => [...openSchedule({ ...job, share: { index, of: 3 } })]);
  expect(shares.toSorted((one, other) => one.index - other.index)).toEqual(whole);
  expect(whole.length).toBeGreaterThan(60);
  expect(whole.at(-1)?.at).toBeLessThan(6_000);
});

test('a warm-up holds the first rate of a ramp, and all of its shape is measured', () => {
  const arrival: OpenArrival = { kind: 'ramp', fromRate: 2, stages: [{ toRate: 10, seconds: 10 }], spacing: 'even' };
  const plain = jobFor(endpointOf('http://127.0.0.1:9/v1'), arrival);
  const times = (job: typeof plain) => [...openSchedule(job)].map(({ at }) => Math.round(at));
  expect(times({ ...plain, warmUpMs: 3_000 }).slice(0, 6)).toEqual([0, 500, 1000, 1500, 2000, 2500]);
  expect(times({ ...plain, warmUpMs: 3_000 }).slice(6)).toEqual(times(plain).map((at) => at + 3_000));
  expect(times({ ...plain, warmUpMs: 3_000, durationMs: 1_000 }).at(-1)).toBeLessThan(4_000);
});

test('bursts that begin before the end of the duration or of the requests are sent, one cut short by a count', () => {
  const arrival = { kind: 'bursts', size: 3, everySeconds: 2 } as const;
  const plain = jobFor(endpointOf('http://127.0.0.1:9/v1'), arrival, { warmUpMs: 2_000 });
  const times = (job: typeof plain) => [...openSchedule(job)].map(({ at }) => at / 1_000);
  expect(times({ ...plain, durationMs: 2_001 })).toEqual([0, 0, 0, 2, 2, 2, 4, 4, 4]);
  expect(times({ ...plain, durationMs: 2_000 })).toEqual([0, 0, 0, 2, 2, 2]);
  expect(times({ ...plain, requests: 4 })).toEqual([0, 0, 0, 2, 2, 2, 4]);
});

test('a count of requests leaves those of the warm-up out', () => {
  const job = jobFor(
    endpointOf('http://127.0.0.1:9/v1'),
    { kind: 'constant', rate: 10 },
    { warmUpMs: 1_000, requests: 5 },
  );
  expect([...openSchedule(job)]).toHaveLength(15);
});

test('a trace is sent at its times and lengths, faster where it is to be', () => {
  const requests = [
    { at: 0, promptTokens: 5, outputTokens: 6 },
    { at: 3, promptTokens: 7, outputTokens: 8 },
  ];
  const job = jobFor(endpointOf('http://127.0.0.1:9/v1'), { kind: 'trace', requests, speed: 2 });
  expect([...openSchedule(job)]).toEqual([
    { index: 0, at: 0, lengths: { promptTokens: 5, outputTokens: 6 } },
    { index: 1, at: 1500, lengths: { promptTokens: 7, outputTokens: 8 } },
  ]);
});
