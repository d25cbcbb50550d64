import { randomBytes } from 'node:crypto';
import { fstatSync, statSync } from 'node:fs';
import { access, constants, lstat, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import picocolors from 'picocolors';
import type { Report } from '../../specs/report.ts';
import { reasonOf } from '../reason.ts';
import { outcomeLine } from '../report/outcome.ts';
import { type ReportFormat, renderReport } from '../report/render.ts';
import { UsageError } from '../usage-error.ts';
import type { Host } from './host.ts';

export interface DeliveryOptions {
  readonly format: ReportFormat;
  readonly out?: string;
  readonly quiet?: boolean;
  readonly color: boolean;
}

/**
 * Writes a report: to standard output, or with `--out` to that file, beside which standard output gets the form for
 * people. A report that cannot be written to its file goes to standard output all the same.
 * @returns false when the file could not be written.
 */
export async function deliver(
  report: Report,
  options: DeliveryOptions,
  { stdout, stderr, env }: Host,
): Promise<boolean> {
  const color =
    options.color && picocolors.isColorSupported && (stdout.isTTY === true || env.FORCE_COLOR !== undefined);
  const show = (format: ReportFormat) =>
    stdout.write(
      format === 'terminal' && options.quiet ? `${outcomeLine(report)}\n` : renderReport(report, format, color),
    );
  if (options.out === undefined) {
    show(options.format);
    return true;
  }
  try {
    await writeWhole(options.out, renderReport(report, options.format, false));
  } catch (error) {
    show(options.format);
    stderr.write(`error: --out ${options.out} could not be written (${reasonOf(error)}); the report is above\n`);
    return false;
  }
  if (!isStandardOutput(options.out)) show('terminal');
  return true;
}

/** Such as /dev/stdout: a second form of the report would run into the first. */
function isStandardOutput(path: string): boolean {
  const [out, own] = [statSync(path), fstatSync(1)];
  return out.dev === own.dev && out.ino === own.ino;
}

/** A mistyped path is told before a run is spent on it. @throws UsageError */
export async function checkOut(path: string): Promise<void> {
  try {
    if ((await stat(path).catch(() => undefined))?.isDirectory()) throw new UsageError(`--out ${path} is a folder`);
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`--out ${path} cannot be written: ${reasonOf(error)}`);
  }
}

/** A reader of the file sees the old text or the new one, never a part. Links, devices and pipes are written through. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const existing = await lstat(path).catch(() => undefined);
  if (existing && !existing.isFile()) return writeFile(path, text);
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(draft, text);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
