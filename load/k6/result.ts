import packageJson from '../../package.json' with { type: 'json' };
import type { LoadResult } from '../../specs/wire.ts';
import { settings } from './settings.ts';

type Findings = Omit<LoadResult, 'format' | 'tool' | 'engine' | 'command' | 'target' | 'workers' | 'startedAt'> & {
  /** Where the script knows it. */
  readonly model: string | undefined;
  /** How long the run took until now, with all that prepared it. */
  readonly runMs: number;
};

/** What `handleSummary` returns: the whole result to where it is wanted, and a few lines for a person. */
export function writtenResult({ model, runMs, ...findings }: Findings): Record<string, string> {
  const result: LoadResult = {
    format: 'stack29-load/1',
    tool: `${packageJson.name} ${packageJson.version}`,
    engine: 'k6',
    command: settings.command,
    target: { url: settings.url ?? '', model: model ?? settings.model ?? 'the first one listed' },
    workers: 1,
    startedAt: new Date(Date.now() - runMs).toISOString(),
    ...findings,
  };
  const json = `${JSON.stringify(result)}\n`;
  return settings.result === 'stdout' ? { stdout: json } : { stdout: inWords(result), [settings.result]: json };
}

function inWords({ requests, metrics, bounds, tier = [], notes, outcome }: LoadResult): string {
  const { sent, succeeded, failed, limited, unfinished } = requests;
  const lines = [
    `${sent} requests: ${succeeded} answered whole, ${failed} failed, ${limited} refused with 429, ${unfinished} unfinished`,
    ...Object.entries(metrics).map(([name, metric]) =>
      'value' in metric
        ? `${name.padEnd(20)} ${round(metric.value)} ${metric.unit}`
        : `${name.padEnd(20)} p50 ${round(metric.percentiles['50'] ?? 0)} ms, p95 ${round(metric.percentiles['95'] ?? 0)} ms, p99 ${round(metric.percentiles['99'] ?? 0)} ms`,
    ),
    ...bounds.map(({ name, kept, actual }) => `${kept ? 'kept' : 'CROSSED'}: ${name} is ${actual ?? 'not measured'}`),
    ...tier.map(
      ({ check, verdict, reasons }) => `${check}: ${verdict}${reasons.map((reason) => `; ${reason}`).join('')}`,
    ),
    ...notes.map((note) => `note: ${note}`),
    outcome,
  ];
  return `${lines.join('\n')}\n`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
