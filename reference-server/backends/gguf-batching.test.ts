import type { BatchItem, Token } from 'node-llama-cpp';
import { describe, expect, test } from 'vitest';
import { evaluationPriority, FairBatches } from './gguf-batching.ts';

const piece = 32;

function item(length: number, priority: BatchItem['evaluationPriority']): BatchItem {
  return { tokens: Array<Token>(length).fill(0 as Token), logits: [], evaluationPriority: priority };
}
const prompt = (length: number): BatchItem => item(length, 5);
const shared = (place = 0): BatchItem => item(1, evaluationPriority(place, true));
const alone = (): BatchItem => item(1, evaluationPriority(0, false));

/** The place in the queue and the number of tokens of everything in the next batch. */
function next(batches: FairBatches, items: BatchItem[], size = 512): number[][] {
  return batches.next({ items, size }).map((chosen) => [items.indexOf(chosen.item), chosen.processAmount]);
}

test('prompts are read one at a time, in pieces of one size, whatever the batch could hold', () => {
  const batches = new FairBatches(piece);
  expect(next(batches, [prompt(100), prompt(200)])).toEqual([[0, piece]]);
  expect(next(batches, [prompt(20), prompt(200)])).toEqual([[0, 20]]);
});

test('who shares is computed together, up to what a batch holds', () => {
  const batches = new FairBatches(piece);
  expect(next(batches, [shared(), alone(), shared(), shared()])).toEqual([0, 2, 3].map((place) => [place, 1]));
  expect(next(batches, [shared(), shared(), shared()], 2)).toHaveLength(2);
});

test('who shares comes in the order of the sequences, whoever waited longest', () => {
  expect(next(new FairBatches(piece), [shared(2), shared(0), shared(10), shared(1)])).toEqual(
    [1, 3, 0, 2].map((place) => [place, 1]),
  );
  expect(next(new FairBatches(piece), [shared(2), shared(3), shared(1)], 2)).toEqual([0, 1].map((place) => [place, 1]));
});

test('that a batch is under way is told once it is chosen, and not of an empty one', async () => {
  const batches = new FairBatches(piece);
  let begun = 0;
  const count = () => {
    begun += 1;
  };
  batches.begun.then(count);
  next(batches, []);
  await Promise.resolve();
  expect(begun).toBe(0);
  next(batches, [shared()]);
  batches.begun.then(count);
  await Promise.resolve();
  expect(begun).toBe(1);
});

test('who is reproducible is computed alone', () => {
  expect(next(new FairBatches(piece), [alone(), alone(), shared()])).toEqual([[0, 1]]);
});

/**
 * Runs a queue as node-llama-cpp does: what was computed leaves it, and a generation comes back with its next token
 * before the next batch, or while that one is computed. Gives the letters of each batch, P for a piece of a prompt.
 */
function trace(generations: Readonly<Record<string, () => BatchItem>>, promptLength: number, late: boolean): string[] {
  const batches = new FairBatches(piece);
  let left = promptLength;
  let queue = Object.entries(generations).map(([name, make]) => ({ name, item: make() }));
  let returning: typeof queue = [];
  const seen: string[] = [];
  while (left > 0) {
    const entries = [...queue, { name: 'P', item: prompt(Math.max(2, left)) }];
    const chosen = batches.next({ items: entries.map((entry) => entry.item), size: 512 });
    const batch = entries.filter((entry) => chosen.some((one) => one.item === entry.item));
    seen.push(batch.map(({ name }) => name).join(''));
    left -= batch.some(({ name }) => name === 'P') ? piece : 0;
    const back = batch.flatMap(({ name }) => (generations[name] ? [{ name, item: generations[name]() }] : []));
    queue = [...queue.filter((entry) => !batch.includes(entry)), ...(late ? returning : back)];
    returning = back;
  }
  return seen;
}

describe.each([false, true])('while a prompt is read (generations come back late: %s)', (late) => {
  test.each([
    ['one that shares', { a: shared }],
    ['several that share', { a: shared, b: shared, c: shared }],
    ['some that share and some alone', { a: alone, b: shared, c: alone, d: shared }],
  ])('every generation has one turn between two pieces: %s', (_, generations) => {
    const seen = trace(generations, 20 * piece, late);
    const turns = seen.join(' ').split('P').slice(1, -1);
    expect(turns.length).toBeGreaterThan(15);
    // A late one is not there yet when the first piece after it is chosen.
    const settled = turns.filter((turn) => turn.trim() !== '');
    expect(settled.length).toBeGreaterThanOrEqual(turns.length / 2);
    for (const turn of settled) {
      expect([...turn.replaceAll(' ', '')].sort().join('')).toBe(Object.keys(generations).join(''));
    }
  });
});

test('a batch waits for those that share and are about to come back, but not for ever', () => {
  const batches = new FairBatches(piece);
  const leave = batches.share();
  batches.share();
  expect(next(batches, [shared()])).toEqual([]);
  expect(next(batches, [shared(), shared()])).toHaveLength(2);
  expect(next(batches, [shared()])).toEqual([]);
  leave();
  expect(next(batches, [shared()])).toHaveLength(1);
  batches.share();
  const tries = Array.from({ length: 1_000 }, () => next(batches, [shared()]).length);
  expect(tries).toContain(1);
});

test('all pause while something is changed between two batches', async () => {
  const batches = new FairBatches(piece);
  const order: string[] = [];
  let finish = () => {};
  const changed = batches.between(
    () =>
      new Promise((resolve) => {
        finish = () => {
          order.push('changed');
          resolve();
        };
      }),
  );
  const paused = Promise.resolve(batches.pause()).then(() => order.push('on'));
  await Promise.resolve();
  finish();
  await Promise.all([changed, paused]);
  expect(order).toEqual(['changed', 'on']);
  await batches.pause();
});
