import { expect, test } from 'vitest';
import { renderJson } from './json.ts';
import { sampleReport } from './sample-report.ts';

test('a report comes back as it was', () => {
  const text = renderJson(sampleReport());
  expect(JSON.parse(text)).toEqual(sampleReport());
  expect(text.endsWith('}\n')).toBe(true);
});

test('the order of members does not depend on how a report was made', () => {
  const report = sampleReport();
  const reversed = Object.fromEntries(Object.entries(report).reverse()) as typeof report;
  expect(renderJson(reversed)).toBe(renderJson(report));
});
