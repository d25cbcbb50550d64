import type { Report } from '../../specs/report.ts';

/** A report as JSON with a line end. Members are sorted by name: equal reports give equal bytes. */
export function renderJson(report: Report): string {
  return `${JSON.stringify(report, sortMembers, 2)}\n`;
}

function sortMembers(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
