import type { DeliveryExcerpt, Excerpt, Finding, Result } from '../../specs/report.ts';
import { printable, printableLines } from './printable.ts';
import { wrap } from './wrap.ts';

const columns = 80;
const mostHeaders = 12;
const mostBodyLines = 8;

/** Where an exchange was shown already, by probe and step: shown once, it is referred to. */
export type ShownExchanges = Map<string, string>;

/**
 * What there is to say about a result that is not a pass, in lines of at most 80 columns; only the reproducing
 * command keeps its own length, since it is there to be copied.
 */
export function describeResult(result: Result, shown: ShownExchanges = new Map()): string[] {
  const lines = [...indented(result.statement, 2), ...indented(`document: ${result.source.title}`, 2)];
  if (result.reason !== undefined) lines.push(...indented(result.reason, 2));
  for (const finding of result.findings) lines.push(...describeFinding(finding));
  const more = result.findingsTotal - result.findings.length;
  if (more > 0) lines.push(`  … and ${more} more of the kind`);
  const seen = result.findings.find(({ exchange }) => exchange !== undefined);
  if (seen?.delivery) lines.push(...describeDelivery(seen.delivery));
  if (seen?.exchange) lines.push(...describeEvidence(seen.exchange, seen.reproduce, result.id, shown));
  return lines;
}

function describeFinding({ subject, expected, actual }: Finding): string[] {
  return [...indented(subject, 2), ...labelled('expected', expected.join(', or ')), ...labelled('actual', actual)];
}

function describeEvidence(
  exchange: Excerpt,
  reproduce: string | undefined,
  id: string,
  shown: ShownExchanges,
): string[] {
  const key = `${exchange.step} ${exchange.probe}`;
  const title = `${exchange.probe}, request ${exchange.step + 1}`;
  const before = shown.get(key);
  if (before !== undefined) return indented(`exchange: ${title}, as shown under ${before}`, 2);
  shown.set(key, id);
  const lines = [...indented(`exchange: ${title}`, 2), ...describeExchange(exchange)];
  if (reproduce === undefined) return lines;
  return [...lines, '  reproduce:', ...printableLines(reproduce).map((line) => `    ${line}`)];
}

function describeExchange({ request, response, messages = [], failure }: Excerpt): string[] {
  const lines = message('>', `${request.method} ${request.url}`, request.headers, request.body ?? '');
  if (response) lines.push(...message('<', String(response.status), response.headers, response.body));
  const marks = { suite: '>', target: '<', '…': '…' } as const;
  for (const { from, at, text } of messages) {
    lines.push(...wrap(printable(`${at} ms  ${text}`), columns - 6).map((line) => `    ${marks[from]} ${line}`));
  }
  if (failure) lines.push(...indented(`! ${failure.message}`, 4));
  return lines;
}

function describeDelivery({ method, path, headers, body, answered }: DeliveryExcerpt): string[] {
  const lines = [...message('>', `${method} ${path}`, headers, body), ...message('<', String(answered), [], '')];
  return ['  delivery:', ...lines];
}

function message(mark: string, start: string, headers: Excerpt['request']['headers'], body: string): string[] {
  const head = [start, ...headers.slice(0, mostHeaders).map(([name, value]) => `${name}: ${value}`)];
  if (headers.length > mostHeaders) head.push(`… ${headers.length - mostHeaders} more headers`);
  const bodyLines = printableLines(body).flatMap((line) => wrap(line, columns - 6));
  const cut = bodyLines.length > mostBodyLines;
  const content = cut ? [...bodyLines.slice(0, mostBodyLines), '…'] : bodyLines;
  return [...head.flatMap((line) => wrap(printable(line), columns - 6)), ...(body === '' ? [] : content)].map(
    (line) => `    ${mark} ${line}`,
  );
}

function labelled(label: string, text: string): string[] {
  return wrap(printable(text), columns - 14).map(
    (line, index) => `    ${(index === 0 ? label : '').padEnd(8)}  ${line}`,
  );
}

function indented(text: string, by: number): string[] {
  return wrap(printable(text), columns - by).map((line) => `${' '.repeat(by)}${line}`);
}
