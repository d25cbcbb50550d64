import { expect, test } from 'vitest';
import { metricOf, metrics, readStatistic, sloNames, statisticNames } from './metrics.ts';

test('a statistic is of the metric with the longest fitting name', () => {
  expect(metricOf('ttft_p95')).toBe('ttft');
  expect(metricOf('ttft_from_send_p99.9')).toBe('ttft_from_send');
  expect(metricOf('goodput')).toBe('goodput');
  expect(metricOf('goodput_fraction')).toBe('goodput_fraction');
  expect(metricOf('ttfb_p95')).toBeUndefined();
  for (const name of statisticNames) expect(Object.keys(metrics)).toContain(metricOf(name));
  for (const name of sloNames) expect(statisticNames).toContain(name);
});

test('statistics are read from what was measured', () => {
  const ttft = { unit: 'ms', mean: 2, min: 1, max: 9, percentiles: { '95': 7, '99.9': 8 } };
  const measured = { ttft, goodput: { unit: '1/s', value: 3 }, goodput_fraction: { unit: '1', value: 0.2 } };
  const read = (name: string) => readStatistic(measured, name);
  expect(
    ['ttft_p95', 'ttft_p99.9', 'ttft_mean', 'ttft_min', 'ttft_max', 'goodput', 'goodput_fraction'].map(read),
  ).toEqual([7, 8, 2, 1, 9, 3, 0.2]);
  expect(['tpot_p95', 'ttft_p50', 'e2e_mean', 'nothing'].map(read)).toEqual(Array(4).fill(undefined));
});
