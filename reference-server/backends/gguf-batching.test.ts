import type { BatchItem } from 'node-llama-cpp';
import { describe, expect, test } from 'vitest';
import { fastBatches, reproducibleBatches } from './gguf-batching.ts';

type Strategy = ReturnType<typeof fastBatches>;

function queue(...lengths: number[]): BatchItem[] {
  return lengths.map((length) => ({ tokens: Array(length).fill(0), logits: [], evaluationPriority: 3 }));
}

/** The place in the queue and the number of tokens of everything in a batch. */
function batch(strategy: Strategy, items: BatchItem[], size: number): number[][] {
  return strategy({ items, size }).map(({ item, processAmount }) => [items.indexOf(item), processAmount]);
}

describe('reproducible batches', () => {
  test('a prompt goes in steps of one size, whatever the batch could hold', () => {
    expect(batch(reproducibleBatches(), queue(100), 512)).toEqual([[0, 32]]);
    expect(batch(reproducibleBatches(), queue(20), 512)).toEqual([[0, 20]]);
  });

  test('prompts and generations take turns, each in the order they came', () => {
    const strategy = reproducibleBatches();
    const waiting = queue(1, 1, 50, 60);
    expect([1, 2, 3].flatMap(() => batch(strategy, waiting, 512))).toEqual([
      [0, 1],
      [2, 32],
      [0, 1],
    ]);
  });
});

describe('fast batches', () => {
  test('prompts alone fill the batch', () => {
    expect(batch(fastBatches(32), queue(100, 300, 400), 512)).toEqual([
      [0, 100],
      [1, 300],
      [2, 112],
    ]);
  });

  test('beside generations prompts share a part of it', () => {
    expect(batch(fastBatches(32), queue(20, 1, 300, 1), 512)).toEqual([
      [1, 1],
      [3, 1],
      [0, 20],
      [2, 12],
    ]);
  });

  test('more generations than fit are left for the next batch', () => {
    expect(batch(fastBatches(32), queue(9, 1, 1, 1), 2)).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });
});
