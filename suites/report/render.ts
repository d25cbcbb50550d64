import type { Report } from '../../specs/report.ts';
import { renderJson } from './json.ts';
import { renderJunit } from './junit.ts';
import { renderTerminal } from './terminal.ts';

export const reportFormats = ['terminal', 'json', 'junit'] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** A report as text. Colour concerns the terminal's form alone. */
export function renderReport(report: Report, format: ReportFormat, color: boolean): string {
  switch (format) {
    case 'json':
      return renderJson(report);
    case 'junit':
      return renderJunit(report);
    case 'terminal':
      return renderTerminal(report, { color });
  }
}
