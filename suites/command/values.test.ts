import { describe, expect, test } from 'vitest';
import { faultHeader, headersOf, numberOf, oneOf } from './values.ts';

describe('a number', () => {
  const seconds = numberOf({ integer: false, most: 100, unit: 'seconds' });
  const requests = numberOf({ integer: true, most: 100, unit: 'requests' });

  test('within the bounds is read', () => {
    expect([seconds('0.5'), seconds('100'), requests('1')]).toEqual([0.5, 100, 1]);
  });

  test.each(['0', '-1', '1e2', '0x10', '', ' 1', 'ten', '101', 'Infinity'])('"%s" is refused', (text) => {
    expect(() => seconds(text)).toThrow('It takes a number of seconds, above 0 and at most 100.');
    expect(() => requests(text)).toThrow('It takes a whole number of requests, above 0 and at most 100.');
  });

  test('a fraction is refused where only whole ones count', () => {
    expect(() => requests('1.5')).toThrow('whole number');
  });
});

test('an unknown name is refused with the nearest known one', () => {
  expect(oneOf(['json', 'junit'])('json')).toBe('json');
  expect(() => oneOf(['json', 'junit'])('jsno')).toThrow('It takes json, junit; the nearest is json.');
});

test('a header that makes a target fail is read, and refused with the form that it takes', () => {
  expect(faultHeader('x-fault: 500=crash')).toEqual({ name: 'x-fault', values: { 500: 'crash' } });
  expect(() => faultHeader('x-fault: 404=gone')).toThrow(
    "or 'name: failure=value, failure=value' with failures out of",
  );
});

describe('headers', () => {
  test('are read by name', () => {
    expect(headersOf(['x-a: b: c', 'X-Empty:'])).toEqual({ 'x-a': 'b: c', 'X-Empty': '' });
  });

  test.each(['no colon', ': no name', ''])('%j is refused without its text', (line) => {
    expect(() => headersOf(['x: y', line])).toThrow(/^--header number 2 does not have the form 'name: value'$/);
  });
});
