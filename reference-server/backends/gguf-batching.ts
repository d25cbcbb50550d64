import type { BatchItem, CustomBatchingPrioritizationStrategy, PrioritizedBatchItem } from 'node-llama-cpp';

/**
 * One sequence a batch, prompts in steps of a fixed size, steps of prompts and of generations by turns. The sums of
 * floating point numbers then never depend on what runs beside a request, so neither does its text. A tiny model gains
 * little from larger batches.
 */
export function reproducibleBatches(promptStep = 32): CustomBatchingPrioritizationStrategy {
  let generating = false;
  return ({ items }) => {
    generating = !generating;
    const item = items.find((candidate) => isGenerating(candidate) === generating) ?? items[0];
    return item === undefined ? [] : [{ item, processAmount: Math.min(item.tokens.length, promptStep) }];
  };
}

/** Every generating sequence in each batch; beside them a prompt gets only a share, so that it does not stall them. */
export function fastBatches(promptShare: number): CustomBatchingPrioritizationStrategy {
  return ({ items, size }) => {
    const generating = items.filter(isGenerating).slice(0, size);
    const batch: PrioritizedBatchItem[] = generating.map((item) => ({ item, processAmount: 1 }));
    let left = size - batch.length;
    if (batch.length > 0) left = Math.min(left, promptShare);
    for (const item of items.filter((candidate) => !isGenerating(candidate))) {
      const processAmount = Math.min(item.tokens.length, left);
      if (processAmount > 0) batch.push({ item, processAmount });
      left -= processAmount;
    }
    return batch;
  };
}

function isGenerating({ tokens }: BatchItem): boolean {
  return tokens.length === 1;
}
