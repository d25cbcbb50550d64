import picocolors from 'picocolors';
import type { Distribution, LoadResult } from '../../specs/wire.ts';
import { boundWords, originWords, outcomeLine, pointWords, printable, short, withUnit } from './words.ts';
import { wrap } from './wrap.ts';

const shownPercentiles = ['50', '90', '95', '99', '99.9'];

interface TerminalSettings {
  readonly color: boolean;
  /** Of the terminal; absent where lines are not to be broken. */
  readonly columns?: number | undefined;
}

/** A result for a person; the outcome is the last line. */
export function renderTerminal(result: LoadResult, settings: TerminalSettings): string {
  const colors = picocolors.createColors(settings.color);
  const color = { passed: colors.green, broken: colors.red, crossed: colors.red, incomplete: colors.yellow }[
    result.outcome
  ];
  const blocks = [
    head(result),
    counts(result),
    latencies(result),
    rates(result),
    result.errors.map(({ kind, count }) => `${String(count).padStart(8)}  ${printable(kind)}`),
    tierLines(result),
    capacityLines(result),
    health(result),
    result.bounds.map((bound) => {
      const words = boundWords(bound);
      return bound.inDoubt ? colors.yellow(words) : bound.kept ? words : colors.red(words);
    }),
    result.notes.map((note) => `note: ${printable(note)}`),
    [color(outcomeLine(result))],
  ];
  const text = blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
  return `${settings.columns === undefined ? text : wrap(text, settings.columns)}\n`;
}

function head(result: LoadResult): string[] {
  const { target, profile } = result;
  const lines = [
    ['target', `${target.url}${target.description === undefined ? '' : ` (${target.description})`}`],
    ['model', target.model],
    ['profile', `${profile.name}: ${profile.description}`],
    ['measured', `${short(result.measuredSeconds)} s ${originWords(result)}`],
  ] as const;
  return lines.map(([label, text]) => `${label.padEnd(10)}${printable(text)}`);
}

function counts({ requests, tokens, profile }: LoadResult): string[] {
  const { sent, succeeded, failed, limited, unfinished, warmUp } = requests;
  if (sent === 0) return [];
  const by = { usage: 'as usage reports', chunks: 'counted pieces', both: 'usage or pieces', none: 'not counted' };
  return [
    `requests  ${sent} sent: ${succeeded} answered whole, ${failed} failed, ${limited} refused with 429${unfinished > 0 ? `, ${unfinished} unfinished` : ''}${warmUp > 0 ? `; ${warmUp} before, to warm up` : ''}`,
    // A check of a tier counts requests.
    ...(profile.kind === 'tier'
      ? []
      : [`tokens    ${tokens.prompt} prompt, ${tokens.output} output (${by[tokens.countedBy]})`]),
  ];
}

function latencies({ metrics }: LoadResult): string[] {
  const rows = Object.entries(metrics).flatMap(([name, metric]): [string, Distribution][] =>
    'count' in metric ? [[name, metric]] : [],
  );
  if (rows.length === 0) return [];
  const line = (label: string, values: readonly string[]) =>
    label.padEnd(16) + values.map((value) => value.padStart(10)).join('');
  return [
    line('ms', ['mean', ...shownPercentiles.map((percentile) => `p${percentile}`)]),
    ...rows.map(([name, { mean, percentiles }]) =>
      line(name, [short(mean), ...shownPercentiles.map((percentile) => short(percentiles[percentile] ?? 0))]),
    ),
  ];
}

function rates({ metrics }: LoadResult): string[] {
  const shown = ['request_rate', 'goodput', 'output_token_rate', 'stream_token_rate', 'error_fraction'];
  return shown.flatMap((name) => {
    const metric = metrics[name];
    return metric && 'value' in metric ? [`${name.padEnd(20)}${withUnit(metric.value, metric.unit)}`] : [];
  });
}

function tierLines({ tier = [] }: LoadResult): string[] {
  return tier.flatMap(({ check, limit, sent, expected, admitted, refused, other, verdict, reasons }) => [
    `${check.padEnd(12)} ${verdict.toUpperCase()}: limit ${limit ?? 'unknown'}, ${sent} sent, ${expected ?? '?'} expected, ${admitted} admitted, ${refused} refused, ${other} other`,
    ...reasons.map((reason) => `  ${printable(reason)}`),
  ]);
}

function capacityLines({ capacity }: LoadResult): string[] {
  if (capacity === undefined) return [];
  return capacity.points.map(
    (point) =>
      `${short(point.rate).padStart(9)}/s ${short(point.outputTokenRate).padStart(9)} tokens/s  ${pointWords(point)}`,
  );
}

function health({ clientHealth }: LoadResult): string[] {
  const { eventLoopDelayMs, cpu, lateSends, sockets, memoryMb, droppedIterations, isLimit, reasons } = clientHealth;
  const facts = [
    ...(eventLoopDelayMs
      ? [`event loop late by ${short(eventLoopDelayMs.p99)} ms (p99), ${short(eventLoopDelayMs.max)} ms at most`]
      : []),
    ...(cpu === undefined ? [] : [`${Math.round(cpu * 100)}% of a core`]),
    ...(lateSends ? [`${lateSends.count} late sends`] : []),
    ...(sockets === undefined ? [] : [`${sockets} sockets`]),
    ...(memoryMb === undefined ? [] : [`${Math.round(memoryMb)} MB`]),
    ...(droppedIterations === undefined ? [] : [`${droppedIterations} requests without a user of k6`]),
  ];
  return [
    ...(facts.length > 0 ? [`client    ${facts.join(', ')}`] : []),
    ...(isLimit
      ? [`the client was the limit, so the figures are not the target's: ${printable(reasons.join('; '))}`]
      : []),
  ];
}
