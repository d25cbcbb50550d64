import { expect, test } from 'vitest';
import { metricsOf } from '../summary.ts';
import { Distribution, recordedValues } from './distribution.ts';
import { type Ending, Flight } from './flight.ts';
import { randomFrom } from './random.ts';
import { Tally } from './tally.ts';
import { Timeline } from './timeline.ts';

const random = randomFrom(7);
const values = Array.from({ length: 5_000 }, () => 0.2 + 900 * random() ** 4);

function exactPercentile(percentile: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.ceil((percentile / 100) * sorted.length) - 1] ?? Number.NaN;
}

test('percentiles are right to three digits; mean, least and greatest exactly', () => {
  const distribution = new Distribution();
  for (const value of values) distribution.record(value);
  const summary = distribution.summary();
  expect(summary?.mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 9);
  expect([summary?.min, summary?.max]).toEqual([Math.min(...values), Math.max(...values)]);
  for (const [percentile, value] of Object.entries(summary?.percentiles ?? {})) {
    const exact = exactPercentile(Number(percentile));
    expect(Math.abs(value - exact) / exact).toBeLessThan(0.002);
  }
});

test('distributions of two processes merge into what one would have recorded', () => {
  const [whole, one, other] = [new Distribution(), new Distribution(), new Distribution()];
  values.forEach((value, index) => {
    whole.record(value);
    (index % 3 === 0 ? one : other).record(value);
  });
  one.merge(other.pack());
  expect({ ...one.summary(), mean: 0 }).toEqual({ ...whole.summary(), mean: 0 });
  expect(one.summary()?.mean).toBeCloseTo(whole.summary()?.mean ?? 0, 9);
});

test('nothing measured is not 0 ms', () => {
  expect(new Distribution().summary()).toBeUndefined();
  const merged = new Distribution();
  merged.merge(new Distribution().pack());
  expect(merged.summary()).toBeUndefined();
});

test('a timeline of any length has a bounded number of slices, and loses nothing', () => {
  const timeline = new Timeline();
  for (let second = 0; second < 3_600; second += 1) {
    timeline.add(second * 1000, 'sent');
    timeline.record(second * 1000, 'ttft', second);
  }
  const { sliceSeconds, slices } = timeline.summary();
  expect(slices.length).toBeLessThanOrEqual(120);
  expect(slices.length * sliceSeconds).toBeGreaterThanOrEqual(3_600);
  expect(slices.reduce((sum, { sent }) => sum + sent, 0)).toBe(3_600);
  const recorded = slices.flatMap(({ histograms }) => (histograms?.ttft ? recordedValues(histograms.ttft) : []));
  expect(recorded.reduce((sum, [, count]) => sum + count, 0)).toBe(3_600);
});

test('timelines of different lengths merge slice by slice', () => {
  const [long, brief] = [new Timeline(), new Timeline()];
  long.add(100_000, 'sent', 2);
  long.add(300, 'sent', 3);
  brief.add(300, 'sent', 4);
  brief.inFlight(300, 5);
  for (const [one, other] of [
    [long, brief],
    [brief, long],
  ] as const) {
    const merged = new Timeline();
    merged.merge(one.pack());
    merged.merge(other.pack());
    const sent = merged.summary().slices.flatMap(({ at, sent: count }) => (count > 0 ? [[at, count]] : []));
    expect(sent).toEqual([
      [0, 7],
      [100, 2],
    ]);
  }
});

/** A request that was due at 1000 ms and sent at 1005, with content at these times. */
function flown(tally: Tally, content: readonly number[], ending: Ending, tokens?: number): void {
  const flight = new Flight(1_000, 1_001, true, (ms) => tally.gap(ms));
  tally.sent(flight, 1);
  flight.sent = 1_005;
  for (const at of content) flight.content(at);
  if (tokens !== undefined) flight.usage({ prompt_tokens: 4, completion_tokens: tokens });
  tally.ended(flight, ending, 1_400);
}

test('latencies follow their formulas', () => {
  const tally = new Tally(1_000);
  flown(tally, [1_100, 1_150, 1_300], 'succeeded', 5);
  const value = (name: keyof Tally['distributions']) => tally.distributions[name].summary()?.mean;
  expect([value('ttft'), value('ttft_from_send')]).toEqual([100, 95]);
  expect([value('e2e'), value('e2e_from_send'), value('queue_delay')]).toEqual([300, 295, 5]);
  expect([value('icl'), value('tpot')]).toEqual([100, 50]);
  expect(tally.counts).toMatchObject({ succeeded: 1, promptTokens: 4, outputTokens: 5, countedByUsage: 1 });
});

test('without usage the pieces count as tokens', () => {
  const tally = new Tally(1_000);
  flown(tally, [1_100, 1_200], 'succeeded');
  expect(tally.counts).toMatchObject({ outputTokens: 2, countedByUsage: 0, countedByPieces: 1 });
});

test('neither a 429 nor a failure enters latencies or tokens, and a 429 is no failure', () => {
  const tally = new Tally(1_000);
  flown(tally, [1_100, 1_200], 'limited', 2);
  flown(tally, [1_100, 1_200], { failed: 'closed' }, 2);
  flown(tally, [], 'unfinished');
  expect(tally.counts).toMatchObject({ sent: 3, succeeded: 0, failed: 1, limited: 1, unfinished: 1, outputTokens: 0 });
  expect(tally.distributions.ttft.count + tally.distributions.e2e.count).toBe(0);
  expect([...tally.errors]).toEqual([['closed', 1]]);
});

test('goodput holds every SLO against each request', () => {
  const tally = new Tally(1_000, { ttft_p95: 150, e2e_mean: 250 });
  flown(tally, [1_100, 1_200], 'succeeded', 2);
  flown(tally, [1_160, 1_200], 'succeeded', 2);
  flown(tally, [1_100, 1_260], 'succeeded', 2);
  expect(tally.counts).toMatchObject({ succeeded: 3, good: 1 });
});

test('a request without the latency that an SLO is about is not good', () => {
  const tally = new Tally(1_000, { ttft_p95: 150 });
  flown(tally, [], 'succeeded', 2);
  expect(tally.counts).toMatchObject({ succeeded: 1, good: 0 });
});

test('rates are by the time in which requests are due, and of what was answered in it', () => {
  const tally = new Tally(1_000, {}, 1_000);
  const answered = (due: number, at: number) => {
    const flight = new Flight(due, due, due >= 1_000, () => {});
    tally.sent(flight, 1);
    flight.content(at);
    flight.usage({ prompt_tokens: 1, completion_tokens: 10 });
    tally.ended(flight, 'succeeded', at);
  };
  answered(500, 900);
  answered(600, 1_200);
  answered(1_100, 1_500);
  answered(1_900, 4_000);
  expect(metricsOf(tally)).toMatchObject({ request_rate: { value: 2 }, output_token_rate: { value: 20 } });
  expect([tally.counts.succeeded, tally.measuredMs]).toEqual([2, 3_000]);
});
