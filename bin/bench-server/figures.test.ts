import { expect, test } from 'vitest';
import { type Figures, type Speeds, serverName, tableOf } from './figures.ts';

const one = (median: number) => ({ median, least: median - 1, most: median + 1 });

function speeds(streams: number, seeded: boolean, served: number): Speeds {
  return { streams, seeded, tokensPerSecond: { raw: one(2000), [serverName]: one(served) }, ratio: one(served / 2000) };
}

function figures(model: string): Figures {
  return {
    model,
    device: 'CPU, threads: 1',
    speeds: [speeds(1, false, 1800.4), speeds(8, true, 1300)],
    firstPieceMs: one(9.54),
    largestGapMs: one(12.3),
    followUp: {
      known: { firstMs: one(11.8), readTokens: 16, promptTokens: 1082 },
      unknown: { firstMs: one(113), readTokens: 1065, promptTokens: 1081 },
    },
    startMs: one(1050),
  };
}

test('each run has a row, under names that say what it holds', () => {
  const [names = '', rule = '', ...rows] = tableOf([figures('small'), figures('large')])
    .trimEnd()
    .split('\n');
  expect(names.split(' | ')).toHaveLength(9);
  expect(names).toContain('tokens/s, 1 stream (of raw) | tokens/s, 8 streams with a seed (of raw)');
  expect(rule.split(' | ')).toHaveLength(9);
  const cells = '| CPU, threads: 1 | 1800 (0.90) | 1300 (0.65) | 9.5 ms | 12.3 ms | 11.8 ms (16 of 1082) | 113.0 ms';
  expect(rows).toEqual(['small', 'large'].map((name) => `| ${name} ${cells} (1065 of 1081) | 1.05 s |`));
});

test('what could not be reckoned, as no token came in time, is left open', () => {
  const slow = { ...speeds(1, false, 0), ratio: { median: Number.NaN, least: Number.NaN, most: Number.NaN } };
  const read: Figures = JSON.parse(JSON.stringify({ ...figures('slow'), speeds: [slow] }));
  expect(tableOf([read])).toContain('| slow | CPU, threads: 1 | 0 (?) | 9.5 ms |');
});
