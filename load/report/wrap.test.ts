import { expect, test } from 'vitest';
import { sampleCapacity, sampleResult } from './sample-result.ts';
import { renderTerminal } from './terminal.ts';
import { wrap } from './wrap.ts';

test('a line that is too long is broken at spaces, under the text of its label', () => {
  const words = Array.from({ length: 30 }, (_, index) => `word${index}`).join(' ');
  for (const [line, indent] of [
    [words, 2],
    [`requests  ${words}`, 10],
    [`        1/s  ${words}`, 13],
    [`\u001b[32m${words}\u001b[39m`, 2],
  ] as const) {
    const [first = '', ...others] = wrap(line, 80).split('\n');
    expect(others.length).toBeGreaterThan(1);
    expect(first.replace('\u001b[32m', '').length).toBeLessThanOrEqual(80);
    for (const other of others)
      expect(other).toMatch(new RegExp(`^ {${indent}}\\S.{0,${79 - indent}}(\u001b\\[39m)?$`));
    expect([first, ...others.map((other) => other.trimStart())].join(' ')).toBe(line);
  }
});

test('a report fits a terminal, and is one line a fact where there is none', () => {
  for (const result of [sampleResult(), sampleCapacity()]) {
    const whole = renderTerminal(result, { color: false });
    const fitted = renderTerminal(result, { color: false, columns: 80 });
    for (const line of fitted.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(fitted.replace(/\s+/g, ' ')).toBe(whole.replace(/\s+/g, ' '));
  }
});
