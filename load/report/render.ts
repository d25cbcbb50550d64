import type { LoadResult } from '../../specs/wire.ts';
import { renderCsv } from './csv.ts';
import { renderTerminal } from './terminal.ts';

export const loadFormats = ['terminal', 'json', 'csv', 'html'] as const;
export type LoadFormat = (typeof loadFormats)[number];

/** A result as text. The settings concern the terminal's form alone. */
export async function renderResult(
  result: LoadResult,
  format: LoadFormat,
  settings: Parameters<typeof renderTerminal>[1],
): Promise<string> {
  switch (format) {
    case 'terminal':
      return renderTerminal(result, settings);
    case 'json':
      return `${JSON.stringify(result, null, 2)}\n`;
    case 'csv':
      return renderCsv(result);
    case 'html': {
      const { renderHtml } = await import('./html.ts');
      return renderHtml(result);
    }
  }
}
