import { expect, test } from 'vitest';
import { randomFrom } from '../engine/random.ts';
import { isSaturated, meanInterval } from './saturation.ts';
import { mostStepsLeft, searchRate } from './search.ts';

const settings = { fromRate: 1, toRate: 1_000, repeats: 3, precision: 0.05 };

/** Searches a target that carries every rate below its knee. */
async function search(knee: number, changes: Partial<typeof settings> = {}) {
  const rates: number[] = [];
  const found = await searchRate({ ...settings, ...changes }, async (rate) => {
    rates.push(rate);
    return { rate, within: rate < knee };
  });
  return { ...found, rates };
}

test.each([1.5, 37, 640])('a knee at %d is found within the precision', async (knee) => {
  const { held = 0, broke, rates } = await search(knee);
  expect(held).toBeLessThan(knee);
  expect(broke?.rate).toBeGreaterThanOrEqual(knee);
  expect((broke?.rate ?? 0) / held).toBeLessThanOrEqual(1.05);
  expect(rates.filter((rate) => rate === held)).toHaveLength(3);
});

test('a knee below the first rate is found, and one beyond reach is not invented', async () => {
  expect((await search(0.4)).held).toBeLessThan(0.4);
  expect(await search(0.001)).not.toHaveProperty('held');
});

test('a target that carries every rate has no knee', async () => {
  const { held, broke } = await search(5_000);
  expect([held, broke]).toEqual([1_000, undefined]);
});

test.each([0.001, 0.4, 1.5, 37, 640, 5_000])('with a knee at %d no more steps are left than is said', async (knee) => {
  const { points } = await search(knee);
  const said = points.map((_, index) => mostStepsLeft(settings, points.slice(0, index)));
  for (const [index, most] of said.entries()) expect(most).toBeGreaterThanOrEqual(points.length - index);
  expect(said[0]).toBeLessThan(25);
  if (knee > 0.01) expect(said.at(-1)).toBeLessThanOrEqual(settings.repeats);
});

test('a rate that holds once and breaks in a repeat has not held', async () => {
  const seen = new Map<number, number>();
  const { held = 0 } = await searchRate(settings, async (rate) => {
    const times = (seen.get(rate) ?? 0) + 1;
    seen.set(rate, times);
    return { rate, within: rate < 20 || (rate < 40 && times === 1) };
  });
  expect(held).toBeGreaterThan(18);
  expect(held).toBeLessThan(20);
});

/** Ten seconds of samples of a queue with noise. */
function queue(inFlight: (seconds: number) => number, noise: number) {
  const random = randomFrom(3);
  return Array.from({ length: 50 }, (_, index) => ({
    at: index * 200,
    inFlight: Math.max(0, inFlight(index / 5) + noise * (random() - 0.5)),
  }));
}

test('a queue that grows by what is not served is saturated, and one that swings is not', () => {
  expect(
    isSaturated(
      queue((seconds) => 5 + 4 * seconds, 4),
      40,
    ),
  ).toBe(true);
  expect(
    isSaturated(
      queue(() => 20, 10),
      40,
    ),
  ).toBe(false);
  expect(
    isSaturated(
      queue((seconds) => 20 + 10 * Math.sin(seconds * 2), 4),
      40,
    ),
  ).toBe(false);
  // It grows, by what four requests under way swing by.
  expect(
    isSaturated(
      queue((seconds) => 2 + seconds / 2, 0.5),
      4,
    ),
  ).toBe(false);
  // It grows, by less than a twentieth of the arrivals.
  expect(
    isSaturated(
      queue((seconds) => 5 + seconds, 0.1),
      40,
    ),
  ).toBe(false);
  expect(isSaturated(queue(() => 20, 10).slice(0, 9), 40)).toBeUndefined();
});

test('the confidence interval of a mean is that of the tables', () => {
  const [low = 0, high = 0] = meanInterval([10, 12, 14]) ?? [];
  expect([low, high].map((value) => value.toFixed(2))).toEqual(['7.03', '16.97']);
  expect(meanInterval([10])).toBeUndefined();
});
