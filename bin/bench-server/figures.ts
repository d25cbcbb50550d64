import type { Turns } from './reuse.ts';
import type { Spread } from './statistics.ts';

/** Tokens a second of each subject, measured by turns. */
export interface Speeds {
  readonly streams: number;
  readonly seeded: boolean;
  /** By the name of the subject. */
  readonly tokensPerSecond: Readonly<Record<string, Spread>>;
  /** Of the server to the raw model, in each round by itself. */
  readonly ratio: Spread;
}

/** What one run measured; times are in milliseconds. */
export interface Figures {
  readonly model: string;
  /** The GPU, or the CPU with its threads. */
  readonly device: string;
  readonly speeds: readonly Speeds[];
  readonly firstPieceMs: Spread;
  readonly largestGapMs: Spread;
  readonly followUp: { readonly known: Turns; readonly unknown: Turns };
  readonly startMs: Spread;
}

/** The name under which the server stands in {@link Speeds}. */
export const serverName = 'reference server';

/** A table in Markdown with a row for each run. Its columns are those of the first run. */
export function tableOf(runs: readonly Figures[]): string {
  const rows = runs.map(cellsOf);
  const [first = {}] = rows;
  const names = Object.keys(first);
  const lines = [names, names.map(() => '---'), ...rows.map((row) => names.map((name) => row[name] ?? ''))];
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function cellsOf({ model, device, speeds, ...times }: Figures): Record<string, string> {
  const { known, unknown } = times.followUp;
  return {
    model,
    on: device,
    ...Object.fromEntries(
      speeds.map(({ streams, seeded, tokensPerSecond, ratio }) => [
        `tokens/s, ${nameOf(streams, seeded)} (of raw)`,
        `${told(tokensPerSecond[serverName], 0)} (${told(ratio, 2)})`,
      ]),
    ),
    'first piece': `${told(times.firstPieceMs, 1)} ms`,
    'largest gap': `${told(times.largestGapMs, 1)} ms`,
    'follow-up, known (read)': turnsCell(known),
    'follow-up, unknown (read)': turnsCell(unknown),
    start: `${(times.startMs.median / 1000).toFixed(2)} s`,
  };
}

export function nameOf(streams: number, seeded: boolean): string {
  return `${streams} ${streams === 1 ? 'stream' : 'streams'}${seeded ? ' with a seed' : ''}`;
}

function turnsCell({ firstMs, readTokens, promptTokens }: Turns): string {
  return `${told(firstMs, 1)} ms (${readTokens} of ${promptTokens})`;
}

/** A model that is slow may make no token in the time of a measurement; in JSON what cannot be reckoned then is null. */
function told(spread: Spread | undefined, digits: number): string {
  const { median = Number.NaN } = spread ?? {};
  return Number.isFinite(median) ? median.toFixed(digits) : '?';
}
