import picocolors from 'picocolors';
import type { Report, Result, Verdict } from '../../specs/report.ts';
import { byArea } from './areas.ts';
import { countVerdicts, countWords, outcomeLine } from './outcome.ts';
import { printable } from './printable.ts';
import { describeResult, type ShownExchanges } from './result.ts';
import { wrap } from './wrap.ts';

type Colors = ReturnType<typeof picocolors.createColors>;

/**
 * A report for a person, in 80 columns: what was not judged by its reasons, what is broken in full, the rest as counts,
 * the outcome as the last line. What matters most stands nearest to the prompt.
 */
export function renderTerminal(report: Report, settings: { readonly color: boolean }): string {
  const colors = picocolors.createColors(settings.color);
  const blocks = [
    head(report),
    ...unjudged(report.results, colors),
    ...broken(report.results, colors),
    ...dialect(report),
    [...byArea(report.results)].map(([area, results]) => `${area.padEnd(10)}${countWords(countVerdicts(results))}`),
    [outcomeColor(report, colors)(outcomeLine(report))],
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function head({ tool, target, profile, only, without, durationMs, cost }: Report): string[] {
  const tokens = cost.promptTokens + cost.completionTokens;
  const lines = [
    ['target', target.url],
    ['model', target.model],
    ['profile', `${profile.name}: ${profile.requirements} requirements, digest ${profile.digest}`],
    ...(only.length > 0 ? [['only', only.join(' ')]] : []),
    ...(without.length > 0 ? [['without', without.join(' ')]] : []),
    ['judged by', tool],
    ['cost', `${(durationMs / 1000).toFixed(1)} s, ${cost.requests} requests, ${tokens} tokens`],
  ] as const;
  return lines.flatMap(([label = '', text = '']) =>
    wrap(printable(text), 70).map((line, index) => `${(index === 0 ? label : '').padEnd(10)}${line}`),
  );
}

/** A block for each reason that something was not judged, with the requirements that it holds for. */
function unjudged(results: readonly Result[], colors: Colors): string[][] {
  const groups = new Map<string, Result[]>();
  for (const result of results) {
    if (result.reason === undefined) continue;
    const title = `${result.verdict === 'error' ? 'ERROR' : result.verdict}: ${printable(result.reason)}`;
    groups.set(title, [...(groups.get(title) ?? []), result]);
  }
  return [...groups].map(([title, members]) => [
    ...wrap(title, 80).map(members.some(({ verdict }) => verdict === 'error') ? colors.red : colors.yellow),
    ...wrap(members.map(({ id }) => id).join(', '), 78).map((line) => `  ${line}`),
  ]);
}

function broken(results: readonly Result[], colors: Colors): string[][] {
  const shown: ShownExchanges = new Map();
  const titles: Partial<Record<Verdict, string>> = {
    fail: colors.red('FAIL'),
    warn: colors.yellow('warning'),
    note: colors.yellow('note'),
  };
  return results.flatMap((result) => {
    const title = titles[result.verdict];
    if (title === undefined) return [];
    return [[`${title}  ${colors.bold(result.id)}  ${result.level}`, ...describeResult(result, shown)]];
  });
}

function dialect(report: Report): string[][] {
  const forms = Object.entries(report.dialect).flatMap(([reading, form]) => wrap(printable(`${reading}: ${form}`), 78));
  return forms.length === 0 ? [] : [['dialect', ...forms.map((line) => `  ${line}`)]];
}

function outcomeColor({ outcome }: Report, colors: Colors): (text: string) => string {
  if (outcome === 'conformant') return colors.green;
  return outcome === 'incomplete' ? colors.yellow : colors.red;
}
