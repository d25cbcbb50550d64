import { printableLines } from '../report/printable.ts';
import type { Host } from './host.ts';

/** Shows an error that is the suite's own, with all that a report of it needs. */
export function tellFault(error: unknown, { stderr }: Pick<Host, 'stderr'>): void {
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  stderr.write(
    `error: a fault of stack29-conformance itself; please report it with these lines\n${printableLines(trace).join('\n')}\n`,
  );
}
