import { readFile } from 'node:fs/promises';
import { metricOf, metrics } from '../../specs/metrics.ts';
import { problemsOf } from '../../specs/validate.ts';
import type { LoadResult } from '../../specs/wire.ts';
import { loadExitCodes } from '../exit-codes.ts';
import type { LoadHost } from '../host.ts';
import { LoadProblem } from '../problem.ts';
import { printable, withUnit } from '../report/words.ts';
import { wrap } from '../report/wrap.ts';
import { type Compared, type Comparison, compareRuns } from './compare.ts';

export interface CompareChoices {
  /** Per cent. */
  readonly margin: number;
  readonly format: 'terminal' | 'json';
}

/** The `load compare` command. @returns the exit code @throws LoadProblem where a file holds no result */
export async function runCompare(
  before: string,
  after: string,
  { margin, format }: CompareChoices,
  { stdout }: Pick<LoadHost, 'stdout'>,
): Promise<number> {
  const comparison = compareRuns(await readResult(before), await readResult(after), margin / 100);
  const text = comparisonText(comparison);
  const fitted = stdout.isTTY === true && stdout.columns !== undefined ? wrap(text, stdout.columns) : text;
  stdout.write(format === 'json' ? `${JSON.stringify(comparison, null, 2)}\n` : fitted);
  const codes = {
    'no worse': loadExitCodes.passed,
    worse: loadExitCodes.crossed,
    incomparable: loadExitCodes.incomplete,
  };
  return codes[comparison.verdict];
}

async function readResult(path: string): Promise<LoadResult> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new LoadProblem('usage', `${path} cannot be read: ${(error as Error).message}`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new LoadProblem('usage', `${path} is not JSON: give what load --format json wrote`);
  }
  const [problem] = problemsOf('load-result', value);
  if (problem === undefined) return value as LoadResult;
  const { pointer, expected, actual } = problem;
  throw new LoadProblem(
    'usage',
    `${path} is no result of load: ${pointer || 'it'} must be ${expected}, and is ${actual}`,
  );
}

function comparisonText({ statistics, warnings, verdict }: Comparison): string {
  const lines = [
    ...(statistics.length > 0 ? [row('', 'before', 'after', 'change', '99% of it', '')] : []),
    ...statistics.map(statisticLine),
    ...warnings.map((warning) => `note: ${printable(warning)}`),
    verdict === 'incomparable' ? 'incomparable: no verdict would be fair' : `the second run is ${verdict}`,
  ];
  return `${lines.join('\n')}\n`;
}

function statisticLine({ statistic, before, after, relative, interval, verdict }: Compared): string {
  const metric = metricOf(statistic);
  const unit = metric === undefined ? '1' : metrics[metric].unit;
  const percent = (share: number) => `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)}%`;
  const between = `${percent(interval[0])} to ${percent(interval[1])}`;
  return row(statistic, withUnit(before, unit), withUnit(after, unit), percent(relative), between, verdict);
}

function row(statistic: string, ...cells: readonly [string, string, string, string, string]): string {
  const [before, after, change, interval, verdict] = cells;
  return `${statistic.padEnd(18)}${before.padStart(12)}${after.padStart(12)}${change.padStart(9)}${interval.padStart(19)}  ${verdict}`.trimEnd();
}
