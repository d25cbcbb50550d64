import { expect, test } from 'vitest';
import { renderHtml } from './html.ts';
import { sampleCapacity, sampleResult } from './sample-result.ts';
import { renderTerminal } from './terminal.ts';
import { originWords, outcomeLine, pointWords } from './words.ts';

test('the last line of a passed run says when its figures are those of the client', () => {
  const passed = { ...sampleResult(), outcome: 'passed' } as const;
  const { clientHealth } = passed;
  expect(outcomeLine({ ...passed, clientHealth: { ...clientHealth, isLimit: false } })).toBe('passed: sample');
  expect(outcomeLine({ ...passed, clientHealth: { ...clientHealth, isLimit: true } })).toBe(
    "passed: sample, though the client was the limit: its figures, other than the bounds, are not the target's",
  );
});

test.each([
  [{ within: true, broken: [] }, 'within the SLOs'],
  [{ within: false, broken: ['ttft_p95 900 ms', '3 requests failed'] }, 'not: ttft_p95 900 ms, 3 requests failed'],
  [{ within: false, broken: [], undecided: ['one reason', 'another'] }, 'undecided: one reason; another'],
])('a rate of a search is told by what became of it: %j', (verdict, words) => {
  const point = { rate: 9, saturated: false, clientLimited: false, requests: 1, failed: 0, limited: 0 };
  const seen = { ...point, outputTokenRate: 1, statistics: {}, ...verdict };
  expect(pointWords(seen)).toBe(words);
  const result = { ...sampleCapacity(), capacity: { points: [seen], withheld: 'all of it' } };
  for (const report of [renderTerminal(result, { color: false }), renderHtml(result)]) expect(report).toContain(words);
});

test('the last line of a search says what it found, or why there is nothing', () => {
  const found = sampleCapacity();
  expect(outcomeLine({ ...found, outcome: 'passed' })).toBe(
    'passed: sample, 40 req/s are carried within the SLOs, and not 56; 400 tokens/s (390 to 410 with 95% confidence)',
  );
  const capacity = { points: [], withheld: 'every rate up to 8 req/s was within the SLOs: raise --rate' };
  expect(outcomeLine({ ...found, capacity, outcome: 'incomplete' })).toBe(
    'incomplete: sample, every rate up to 8 req/s was within the SLOs: raise --rate',
  );
});

test('a report says what made it', () => {
  const result = { ...sampleResult(), seed: 7 };
  expect(originWords(result)).toMatch(/, \d+ process(es)?, seed 7$/);
  const { seed: _, ...byK6 } = { ...result, engine: 'k6' as const };
  for (const report of [renderTerminal(byK6, { color: false }), renderHtml(byK6)]) {
    expect(report).toContain(`by ${result.tool} with k6`);
    expect(report).not.toContain('seed');
  }
});
