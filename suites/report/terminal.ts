import picocolors from 'picocolors';
import type { Report, Result, Verdict } from '../../specs/report.ts';
import { byArea } from './areas.ts';
import { countVerdicts, countWords, outcomeLine } from './outcome.ts';
import { printable } from './printable.ts';
import { describeResult, type ShownExchanges } from './result.ts';
import { wrap } from './wrap.ts';

type Colors = ReturnType<typeof picocolors.createColors>;

const marks: Readonly<Record<Verdict, string>> = {
  pass: 'pass',
  fail: 'FAIL',
  warn: 'warning',
  note: 'note',
  'not-applicable': 'not applicable',
  inconclusive: 'inconclusive',
  error: 'ERROR',
};

/** A report for a person, in 80 columns: what did not pass in full, the rest as counts, the outcome as the last line. */
export function renderTerminal(report: Report, settings: { readonly color: boolean }): string {
  const colors = picocolors.createColors(settings.color);
  const shown: ShownExchanges = new Map();
  const areas = [...byArea(report.results)];
  const blocks = [
    head(report),
    ...areas.flatMap(([, results]) => areaBlocks(results, shown, colors)),
    ...dialect(report),
    areas.map(([area, results]) => `${area.padEnd(10)}${countWords(countVerdicts(results))}`),
    [outcomeColor(report, colors)(outcomeLine(report))],
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function head({ tool, target, profile, only, durationMs, cost }: Report): string[] {
  const tokens = cost.promptTokens + cost.completionTokens;
  const lines = [
    ['target', target.url],
    ['model', target.model],
    ['profile', `${profile.name}: ${profile.requirements} requirements, digest ${profile.digest}`],
    ...(only.length > 0 ? [['only', only.join(' ')]] : []),
    ['judged by', tool],
    ['cost', `${(durationMs / 1000).toFixed(1)} s, ${cost.requests} requests, ${tokens} tokens`],
  ] as const;
  return lines.flatMap(([label = '', text = '']) =>
    wrap(printable(text), 70).map((line, index) => `${(index === 0 ? label : '').padEnd(10)}${line}`),
  );
}

/** One block for each result that broke something; the others share a block for each reason. */
function areaBlocks(results: readonly Result[], shown: ShownExchanges, colors: Colors): string[][] {
  const broken = results.filter(({ verdict }) => verdict === 'fail' || verdict === 'warn' || verdict === 'note');
  const withReason = new Map<string, Result[]>();
  for (const result of results) {
    if (result.reason === undefined) continue;
    const group = `${result.verdict} ${result.reason}`;
    withReason.set(group, [...(withReason.get(group) ?? []), result]);
  }
  return [
    ...broken.map((result) => [title(result, colors), ...describeResult(result, shown)]),
    ...[...withReason.values()].map((group) => [
      ...group.map((result) => title(result, colors)),
      ...wrap(printable(group[0]?.reason ?? ''), 78).map((line) => `  ${line}`),
    ]),
  ];
}

function title({ verdict, id, level }: Result, colors: Colors): string {
  return `${verdictColor(verdict, colors)(marks[verdict])}  ${colors.bold(id)}  ${level}`;
}

function dialect(report: Report): string[][] {
  const forms = Object.entries(report.dialect);
  if (forms.length === 0) return [];
  return [
    [
      'dialect',
      ...forms.flatMap(([reading, form]) => wrap(printable(`${reading}: ${form}`), 78).map((line) => `  ${line}`)),
    ],
  ];
}

function verdictColor(verdict: Verdict, colors: Colors): (text: string) => string {
  if (verdict === 'fail' || verdict === 'error') return colors.red;
  return verdict === 'not-applicable' ? colors.dim : colors.yellow;
}

function outcomeColor({ outcome }: Report, colors: Colors): (text: string) => string {
  if (outcome === 'conformant') return colors.green;
  return outcome === 'incomplete' ? colors.yellow : colors.red;
}
