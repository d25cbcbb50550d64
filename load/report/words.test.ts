import { expect, test } from 'vitest';
import { sampleResult } from './sample-result.ts';
import { outcomeLine } from './words.ts';

test('the last line of a passed run says when its figures are those of the client', () => {
  const passed = { ...sampleResult(), outcome: 'passed' } as const;
  const { clientHealth } = passed;
  expect(outcomeLine({ ...passed, clientHealth: { ...clientHealth, isLimit: false } })).toBe('passed: sample');
  expect(outcomeLine({ ...passed, clientHealth: { ...clientHealth, isLimit: true } })).toBe(
    "passed: sample, though the client was the limit: its figures, other than the bounds, are not the target's",
  );
});
