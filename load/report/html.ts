import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { metrics as definitions, type MetricName } from '../../specs/metrics.ts';
import type { LoadResult } from '../../specs/wire.ts';
import { chartsOf } from './charts.ts';
import { page, prepare, style } from './html-page.ts';
import { boundWords, originWords, outcomeLine, pointWords, short, withUnit } from './words.ts';

/** A result as one file that needs nothing else: the plots are drawn by uPlot, which is part of it. */
export function renderHtml(result: LoadResult): string {
  const require = createRequire(import.meta.url);
  const library = readFileSync(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8');
  const libraryStyle = readFileSync(require.resolve('uplot/dist/uPlot.min.css'), 'utf8');
  const charts = chartsOf(result);
  const title = `${result.profile.name}: ${result.target.url}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${libraryStyle}</style>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p class="outcome ${result.outcome}">${escapeHtml(outcomeLine(result))}</p>
${clientWarning(result)}
${facts(result)}
${section('Capacity', capacityPart(result))}
${section('Tier', tierTable(result))}
${section('Bounds', list(result.bounds.map(boundWords)))}
<div id="charts"></div>
${section('Latencies, ms', latencyTable(result))}
${section('Figures', figureTable(result))}
${section(
  'Errors',
  table(
    ['kind', 'count'],
    result.errors.map(({ kind, count }) => [kind, String(count)]),
  ),
)}
${section('The client', healthTable(result))}
${section('Notes', list(result.notes))}
<script>${prepare}</script>
<script>${library}</script>
<script type="application/json" id="data">${JSON.stringify(charts).replaceAll('<', '\\u003c')}</script>
<script>${page}</script>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

function section(title: string, content: string | undefined): string {
  return content ? `<section><h2>${escapeHtml(title)}</h2>${content}</section>` : '';
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  const header = head.length > 0 ? `<thead>${line(head, 'th')}</thead>` : '';
  return `<table>${header}<tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table>`;
}

function list(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`;
}

function clientWarning({ clientHealth: { isLimit, reasons } }: LoadResult): string {
  if (!isLimit) return '';
  return `<p class="warning">The client was the limit, so the figures are not the target's: ${escapeHtml(reasons.join('; '))}</p>`;
}

function facts(result: LoadResult): string {
  const { target, command, profile, startedAt, measuredSeconds, requests, tokens } = result;
  const { sent, succeeded, failed, limited, unfinished, warmUp } = requests;
  const rows = [
    ['model', target.model],
    ...(target.description === undefined ? [] : [['target', target.description]]),
    ['profile', profile.description],
    ['command', command],
    ['measured', `${short(measuredSeconds)} s from ${startedAt} ${originWords(result)}`],
    [
      'requests',
      `${sent} sent: ${succeeded} answered whole, ${failed} failed, ${limited} refused with 429, ${unfinished} unfinished; ${warmUp} before, to warm up`,
    ],
    // A check of a tier counts requests.
    ...(profile.kind === 'tier'
      ? []
      : [['tokens', `${tokens.prompt} prompt, ${tokens.output} output (counted by ${tokens.countedBy})`]]),
  ];
  return table([], rows);
}

function latencyTable({ metrics }: LoadResult): string {
  const rows = Object.entries(metrics).flatMap(([name, metric]) =>
    'count' in metric
      ? [
          [
            name,
            String(metric.count),
            short(metric.mean),
            ...Object.values(metric.percentiles).map(short),
            short(metric.max),
            formulaOf(name),
          ],
        ]
      : [],
  );
  const [first] = Object.values(metrics).flatMap((metric) => ('count' in metric ? [metric] : []));
  const names = Object.keys(first?.percentiles ?? {}).map((percentile) => `p${percentile}`);
  return table(['', 'count', 'mean', ...names, 'max', 'formula'], rows);
}

function figureTable({ metrics }: LoadResult): string {
  const rows = Object.entries(metrics).flatMap(([name, metric]) =>
    'value' in metric ? [[name, withUnit(metric.value, metric.unit), formulaOf(name)]] : [],
  );
  return table(['', 'value', 'formula'], rows);
}

function formulaOf(name: string): string {
  return Object.hasOwn(definitions, name) ? definitions[name as MetricName].formula : '';
}

function capacityPart({ capacity }: LoadResult): string {
  if (capacity === undefined) return '';
  const rows = capacity.points.map((point) => [
    `${short(point.rate)}/s`,
    `${short(point.outputTokenRate)} tokens/s`,
    pointWords(point),
  ]);
  return table(['rate', 'output', ''], rows);
}

function tierTable({ tier = [] }: LoadResult): string {
  const rows = tier.map(({ check, limit, sent, expected, admitted, refused, other, verdict, reasons }) => [
    check,
    verdict,
    ...[limit, sent, expected, admitted, refused, other].map((count) => (count === undefined ? '' : String(count))),
    reasons.join('; '),
  ]);
  return table(['check', 'verdict', 'limit', 'sent', 'expected', 'admitted', 'refused', 'other', 'why'], rows);
}

function healthTable({ clientHealth }: LoadResult): string {
  const { eventLoopDelayMs, cpu, lateSends, sockets, memoryMb, droppedIterations } = clientHealth;
  const rows = [
    ...(eventLoopDelayMs
      ? [
          [
            'event loop late by',
            `${short(eventLoopDelayMs.p50)} ms (p50), ${short(eventLoopDelayMs.p99)} ms (p99), ${short(eventLoopDelayMs.max)} ms at most`,
          ],
        ]
      : []),
    ...(cpu === undefined ? [] : [['processor', `${Math.round(cpu * 100)}% of a core`]]),
    ...(lateSends
      ? [
          [
            'late sends',
            `${lateSends.count}; ${short(lateSends.p99Ms)} ms late (p99), ${short(lateSends.maxMs)} ms at most`,
          ],
        ]
      : []),
    ...(sockets === undefined ? [] : [['connections at most', String(sockets)]]),
    ...(memoryMb === undefined ? [] : [['memory at most', `${Math.round(memoryMb)} MB`]]),
    ...(droppedIterations === undefined ? [] : [['requests without a user of k6', String(droppedIterations)]]),
  ];
  return table([], rows);
}
