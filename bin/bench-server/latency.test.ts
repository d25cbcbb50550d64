import { describe, expect, test } from 'vitest';
import { type HeardAnswer, longestStill } from './latency.ts';

const whole: HeardAnswer = { pieces: [0, 10, 20, 95, 100, 110], isOver: true };

describe('how long a stream stood still', () => {
  const span = { from: 15, to: 105 };

  test('is the longest time between two pieces of an answer', () => {
    expect(longestStill([whole], span)).toBe(75);
  });

  test('counts to the end of the span where no more pieces come', () => {
    expect(longestStill([{ pieces: [0, 10, 20], isOver: false }], span)).toBe(85);
    expect(longestStill([{ pieces: [0], isOver: false }], span)).toBe(90);
  });

  test('counts nothing after an answer has come to its end', () => {
    expect(longestStill([{ pieces: [0, 10, 20], isOver: true }], span)).toBe(5);
  });

  test('counts nothing from one answer to the next', () => {
    const next: HeardAnswer = { pieces: [90, 99], isOver: false };
    expect(longestStill([{ pieces: [0, 10, 20], isOver: true }, next], span)).toBe(9);
  });

  test('counts of what began before the span, or ends after it, what lies within', () => {
    expect(longestStill([{ pieces: [0, 25, 80, 200], isOver: true }], span)).toBe(55);
    expect(longestStill([{ pieces: [0, 100], isOver: true }], span)).toBe(85);
    expect(longestStill([{ pieces: [16, 200], isOver: true }], span)).toBe(89);
  });

  test('is not known where no answer was under way', () => {
    expect(longestStill([], span)).toBeUndefined();
    expect(longestStill([{ pieces: [], isOver: false }], span)).toBeUndefined();
    expect(longestStill([{ pieces: [0, 10], isOver: true }], span)).toBeUndefined();
    expect(longestStill([{ pieces: [110, 120], isOver: false }], span)).toBeUndefined();
  });
});
