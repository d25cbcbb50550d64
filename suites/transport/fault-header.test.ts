import { describe, expect, test } from 'vitest';
import { demandsOf, readFaultHeader } from './fault-header.ts';

describe('the header that makes a target fail', () => {
  test('has the failures as its values where none are given', () => {
    const header = readFaultHeader('X-Stack29-Fault');
    expect(header).toEqual({
      name: 'X-Stack29-Fault',
      values: { 500: '500', 503: '503', 422: '422', 'cut-stream': 'cut-stream' },
    });
    expect(demandsOf(header)).toEqual(['500', '503', '422', 'cut-stream']);
  });

  test('has the words of a target that shows some failures under its own', () => {
    const header = readFaultHeader('x-chaos: cut-stream=abort mid way, 500 = crash');
    expect(header).toEqual({ name: 'x-chaos', values: { 'cut-stream': 'abort mid way', 500: 'crash' } });
    expect(demandsOf(header)).toEqual(['500', 'cut-stream']);
  });

  test.each(['', 'x chaos', 'x-chaos:', 'x-chaos: 404=gone', 'x-chaos: 500', 'x-chaos: 500=', 'x-chaos: 500=a=b'])(
    'is not %j',
    (text) => {
      expect(readFaultHeader(text)).toBeUndefined();
    },
  );

  test('asks for nothing where none is given', () => {
    expect(demandsOf(undefined)).toEqual([]);
  });
});
