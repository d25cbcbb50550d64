import { expect, test } from 'vitest';
import { type WindowShape, windowCounter } from './windows.ts';

const start = 1_790_000_000_400;
const limit = 10;

function counter(shape: WindowShape) {
  let now = start;
  const counts = windowCounter(shape, () => now, 60);
  return {
    wait: (ms: number) => {
      now += ms;
    },
    add: () => counts.add('one', 1, limit),
    read: () => counts.read('one', limit),
    async fill() {
      for (let count = 0; count < limit; count += 1) await counts.add('one', 1, limit);
    },
  };
}

test('a fixed window ends on a whole second, and the next one is empty', async () => {
  const { add, read, wait, fill } = counter('fixed');
  await fill();
  const reset = Math.floor(start / 1000) + 60;
  expect(await add()).toEqual({ taken: 11, reset });
  wait(reset * 1000 - start - 1);
  expect((await read()).taken).toBe(11);
  wait(1);
  expect(await read()).toEqual({ taken: 0, reset: reset + 60 });
  expect(await add()).toEqual({ taken: 1, reset: reset + 60 });
});

test('a sliding window gives back what is a minute old, and what is refused is not taken', async () => {
  const { add, read, wait } = counter('sliding');
  for (let count = 0; count < 5; count += 1) await add();
  wait(20_000);
  for (let count = 0; count < 5; count += 1) await add();
  expect(await add()).toEqual({ taken: 11, reset: Math.ceil((start + 60_000) / 1000) });
  wait(40_000);
  expect((await read()).taken).toBe(5);
  wait(20_000);
  expect((await read()).taken).toBe(0);
});

test('a bucket gives back one after the other', async () => {
  const { add, read, wait, fill } = counter('bucket');
  await fill();
  expect((await add()).taken).toBe(11);
  wait(6_100);
  expect((await read()).taken).toBe(9);
  expect((await add()).taken).toBe(10);
  wait(60_000);
  expect((await read()).taken).toBe(0);
});

test('accounts are apart, and reading takes nothing', async () => {
  const counts = windowCounter('fixed', () => start, 60);
  await counts.add('one', 3, limit);
  expect((await counts.read('other', limit)).taken).toBe(0);
  expect((await counts.read('one', limit)).taken).toBe(3);
});
