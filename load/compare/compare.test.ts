import { describe, expect, test } from 'vitest';
import { problemsOf } from '../../specs/validate.ts';
import type { LoadResult } from '../../specs/wire.ts';
import { sampleResult } from '../report/sample-result.ts';
import { compareRuns } from './compare.ts';

const compare = (before: LoadResult, after: LoadResult) => compareRuns(before, after, 0.05);

test('the samples are results', () => {
  expect(problemsOf('load-result', sampleResult())).toEqual([]);
});

test('two runs of the same target are no worse, whatever their randomness', () => {
  for (let seed = 2; seed < 8; seed += 1) {
    const { verdict, statistics } = compare(sampleResult({ seed: 1 }), sampleResult({ seed }));
    expect([seed, verdict]).toEqual([seed, 'no worse']);
    expect(statistics.map(({ statistic }) => statistic)).toContain('ttft_p95');
  }
}, 60_000);

test('a fifth more of every latency is worse, and a fifth less is better', () => {
  const slower = compare(sampleResult(), sampleResult({ slower: 1.2, seed: 2 }));
  expect(slower.verdict).toBe('worse');
  for (const statistic of ['ttft_p50', 'tpot_p50', 'e2e_p50', 'e2e_p95']) {
    const found = slower.statistics.find((compared) => compared.statistic === statistic);
    expect(found?.verdict).toBe('worse');
    const [low = 0, high = 0] = found?.interval ?? [];
    expect(low < 0.2 && 0.2 < high).toBe(true);
  }
  const faster = compare(sampleResult(), sampleResult({ slower: 0.8, seed: 2 }));
  expect(faster.verdict).toBe('no worse');
  expect(faster.statistics.find(({ statistic }) => statistic === 'e2e_p50')?.verdict).toBe('better');
});

test('a change within the margin is none', () => {
  const { statistics } = compare(sampleResult(), sampleResult({ slower: 1.01 }));
  expect(statistics.find(({ statistic }) => statistic === 'tpot_p50')?.verdict).toBe('same');
});

test('failures that become frequent are worse', () => {
  const { verdict, warnings } = compare(sampleResult(), sampleResult({ failEvery: 10, seed: 2 }));
  expect([verdict, warnings]).toEqual(['worse', [expect.stringContaining('10% of requests failed')]]);
});

describe('no verdict is given', () => {
  test('on a run of which the client was the limit', () => {
    const limited = { ...sampleResult(), clientHealth: { isLimit: true, reasons: ['it was late'] } };
    const { verdict, warnings } = compare(sampleResult(), limited);
    expect([verdict, warnings]).toEqual(['incomparable', ['the client was the limit of the second run: it was late']]);
  });

  test('on a run whose target was gone before its end', () => {
    const { verdict, warnings } = compare(sampleResult(), { ...sampleResult(), endedEarly: 'target gone' });
    expect([verdict, warnings]).toEqual(['incomparable', ['the second run ended early (target gone)']]);
  });

  test('on a run that is too short', () => {
    const { verdict, warnings } = compare(sampleResult(), sampleResult({ requests: 30 }));
    expect([verdict, warnings]).toEqual(['incomparable', [expect.stringContaining('run longer')]]);
  });

  test('on a run without a time line, as k6 has none', () => {
    const { timeline: _, ...result } = sampleResult();
    const { verdict, warnings } = compare(sampleResult(), result);
    expect([verdict, warnings]).toEqual(['incomparable', [expect.stringContaining('--engine embedded')]]);
  });

  test('on runs that asked for something else', () => {
    const other = sampleResult();
    const profile = { ...other.profile, arrival: { kind: 'constant', rate: 50 } } as LoadResult['profile'];
    const { verdict, warnings } = compare(sampleResult(), { ...other, profile });
    expect([verdict, warnings]).toEqual([
      'incomparable',
      ['the runs differ in their arrival', expect.stringContaining('the same load')],
    ]);
  });
});
