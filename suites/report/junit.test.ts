import { expect, test } from 'vitest';
import { renderJunit } from './junit.ts';
import { hostileText, sampleReport, sampleResult } from './sample-report.ts';

/** The elements of a document by their starts, in order; throws where it is not well-formed. */
function elementsOf(xml: string): string[] {
  const token =
    /<\?xml version="1.0" encoding="UTF-8"\?>\n|<(\/?)([a-z-]+)((?: [a-z]+="(?:[^<&"]|&(?:amp|lt|gt|quot);)*")*)(\/?)>|(?:[^<&>]|&(?:amp|lt|gt|quot);)+/uy;
  const elements: string[] = [];
  const open: string[] = [];
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const match = token.exec(xml);
    if (!match) throw new Error(`not well-formed at ${at}: ${xml.slice(at, at + 40)}`);
    const [, closing, name, , selfClosing] = match;
    if (name === undefined) continue;
    if (closing) {
      if (open.pop() !== name) throw new Error(`</${name}> closes another element`);
      continue;
    }
    elements.push(match[0]);
    if (!selfClosing) open.push(name);
  }
  if (open.length > 0) throw new Error(`left open: ${open.join(' ')}`);
  return elements;
}

test('a report with every verdict looks as agreed', async () => {
  await expect(renderJunit(sampleReport())).toMatchFileSnapshot('golden/junit.xml');
});

test('a document is well-formed XML whatever the target sent', () => {
  const hostile = sampleReport(
    [
      sampleResult('chat.response.id', 'fail', {
        findings: [{ subject: hostileText, expected: [hostileText], actual: hostileText }],
        findingsTotal: 1,
      }),
      sampleResult('chat.response.object', 'inconclusive', { reason: hostileText }),
    ],
    { target: { url: 'http://h/v1?a=1&b="2"', model: hostileText } },
  );
  const xml = renderJunit(hostile);
  expect(elementsOf(xml)).toContain('<testcase classname="chat.response" name="chat.response.id MUST">');
  expect(xml).toMatch(/^[\P{C}\n]*$/u);
});

test('the totals of a document are those of its cases', () => {
  const elements = elementsOf(renderJunit(sampleReport()));
  const count = (start: string) => elements.filter((element) => element.startsWith(start)).length;
  expect(elements[0]).toContain(
    `tests="${count('<testcase')}" failures="${count('<failure')}" errors="${count('<error')}" skipped="${count('<skipped')}"`,
  );
  expect([count('<testcase'), count('<failure'), count('<error'), count('<skipped'), count('<system-out')]).toEqual([
    10, 2, 1, 3, 2,
  ]);
});
