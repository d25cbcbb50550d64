import { expect, test } from 'vitest';
import { ahead } from './ahead.ts';
import { until } from './test-rig.ts';

/** Counts up, and fails or ends after the last number; tells how far it came. */
function counting(last: number, failure?: Error) {
  const state = { made: 0, isOver: false };
  async function* count(): AsyncGenerator<number> {
    try {
      while (state.made < last) {
        state.made += 1;
        yield state.made;
      }
      if (failure) throw failure;
    } finally {
      state.isOver = true;
    }
  }
  return { state, numbers: count() };
}

test('all items are made while the first one is read, and come in their order', async () => {
  const { state, numbers } = counting(1_000);
  const reader = ahead(numbers);
  expect(state.made).toBe(0);
  const read = [(await reader.next()).value];
  await until(() => state.isOver);
  for await (const number of reader) read.push(number);
  expect(read).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
});

test('everything else has its turn meanwhile', async () => {
  const { state, numbers } = counting(1_000);
  await ahead(numbers).next();
  await new Promise((resolve) => setImmediate(resolve));
  expect(state.made).toBeLessThan(100);
});

test('a failure comes after what was made before it', async () => {
  const { state, numbers } = counting(2, new Error('the third failed'));
  const reader = ahead(numbers);
  await reader.next();
  await until(() => state.isOver);
  expect(await reader.next()).toEqual({ value: 2, done: false });
  await expect(reader.next()).rejects.toThrow('the third failed');
});

test('nothing more is made for a reader that stops', async () => {
  const { state, numbers } = counting(Number.POSITIVE_INFINITY);
  for await (const _ of ahead(numbers)) break;
  await until(() => state.isOver);
  expect(state.made).toBeLessThan(100);
});
