import type { Report, Result } from '../../specs/report.ts';
import { byArea } from './areas.ts';
import { countVerdicts, outcomeLine } from './outcome.ts';
import { printable, printableLines } from './printable.ts';
import { describeResult } from './result.ts';

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * A report as JUnit XML: a test suite an area, a test case a requirement. A broken MUST is a failure; a broken SHOULD
 * or MAY is in the case's output; what was not judged is skipped, with its reason.
 */
export function renderJunit(report: Report): string {
  const root = { name: `${report.tool}: ${outcomeLine(report)}`, ...totals(report.results), ...when(report) };
  const suites = [...byArea(report.results)].map(([area, results]) =>
    element('testsuite', { name: area, ...totals(results), ...when(report) }, [
      properties(report),
      ...results.map(testCase),
    ]),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', root, suites)}\n`;
}

function totals(results: readonly Result[]): Record<string, number> {
  const counts = countVerdicts(results);
  return {
    tests: results.length,
    failures: counts.fail,
    errors: counts.error,
    skipped: counts.inconclusive + counts['not-applicable'],
  };
}

function when({ durationMs, startedAt }: Report): Record<string, string> {
  return { time: (durationMs / 1000).toFixed(3), timestamp: startedAt };
}

function properties({ target, profile, outcome }: Report): string {
  const pairs = { url: target.url, model: target.model, profile: profile.name, digest: profile.digest, outcome };
  return element(
    'properties',
    {},
    Object.entries(pairs).map(([name, value]) => element('property', { name, value })),
  );
}

function testCase(result: Result): string {
  const attributes = {
    classname: result.id.slice(0, result.id.lastIndexOf('.')),
    name: `${result.id} ${result.level}`,
  };
  return element('testcase', attributes, verdictElements(result));
}

function verdictElements(result: Result): string[] {
  const { verdict, statement, reason = '' } = result;
  if (verdict === 'pass') return [];
  if (verdict === 'inconclusive' || verdict === 'not-applicable') {
    return [element('skipped', { message: `${verdict}: ${reason}` })];
  }
  const text = xmlText(describeResult(result).join('\n'));
  if (verdict === 'fail') return [element('failure', { message: statement, type: result.level }, [text])];
  if (verdict === 'error') return [element('error', { message: reason }, [text])];
  return [element('system-out', {}, [xmlText(`${verdict} ${result.id}\n`) + text])];
}

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly string[] = [],
): string {
  const start = [
    name,
    ...Object.entries(attributes).map(([key, value]) => `${key}="${xmlText(printable(String(value)))}"`),
  ];
  return children.length === 0 ? `<${start.join(' ')}/>` : `<${start.join(' ')}>\n${children.join('\n')}\n</${name}>`;
}

function xmlText(text: string): string {
  return printableLines(text)
    .join('\n')
    .replace(/[&<>"]/g, (character) => escapes[character] ?? character);
}
