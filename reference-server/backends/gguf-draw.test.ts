import type { BatchItem, Token } from 'node-llama-cpp';
import { expect, test } from 'vitest';
import { evaluationPriority, FairBatches } from './gguf-batching.ts';
import { draw } from './gguf-draw.ts';

/** Gives numbers from 1, each of which is computed in a batch, as node-llama-cpp does. */
function model(batches: FairBatches, failAt = Number.POSITIVE_INFINITY) {
  const seen: string[] = [];
  async function* evaluate(): AsyncGenerator<number, void, void> {
    try {
      for (let token = 1; ; token += 1) {
        seen.push(`ask ${token}`);
        await new Promise(setImmediate);
        const item: BatchItem = { tokens: [0 as Token], logits: [], evaluationPriority: evaluationPriority(0, false) };
        batches.next({ items: [item], size: 512 });
        seen.push(`compute ${token}`);
        await new Promise(setImmediate);
        if (token === failAt) throw new Error('it failed');
        yield token;
      }
    } finally {
      seen.push('over');
    }
  }
  return { seen, tokens: evaluate() };
}

function setUp({ last = Number.POSITIVE_INFINITY, shared = false, failAt = Number.POSITIVE_INFINITY } = {}) {
  const batches = new FairBatches(32);
  const { seen, tokens } = model(batches, failAt);
  const take = (token: number) => {
    seen.push(`take ${token}`);
    return token < last;
  };
  return { batches, seen, tokens: draw(tokens, { batches, shared, take }) };
}

test('a token is given while the next one is computed, and none is asked for after the last', async () => {
  const { seen, tokens } = setUp({ last: 2 });
  for await (const token of tokens) seen.push(`give ${token}`);
  expect(seen).toEqual('ask 1,compute 1,take 1,ask 2,compute 2,give 1,take 2,give 2,over'.split(','));
});

test('who leaves waits for the token that is computed, and hears of no failure of it', async () => {
  const { seen, tokens } = setUp();
  for await (const token of tokens) if (token === 2) break;
  expect(seen.slice(-3)).toEqual(['ask 3', 'compute 3', 'over']);

  const failing = setUp({ failAt: 3 });
  for await (const token of failing.tokens) if (token === 2) break;
  expect(failing.seen.slice(-3)).toEqual(['ask 3', 'compute 3', 'over']);
});

test('a failure of the model comes after what it gave before', async () => {
  const { tokens } = setUp({ failAt: 3 });
  const given: number[] = [];
  const all = async () => {
    for await (const token of tokens) given.push(token);
  };
  await expect(all()).rejects.toThrow('it failed');
  expect(given).toEqual([1, 2]);
});

test('others wait for it in shared batches from its first token to its last', async () => {
  const { batches, tokens } = setUp({ last: 2, shared: true });
  const item: BatchItem = { tokens: [0 as Token], logits: [], evaluationPriority: evaluationPriority(1, true) };
  const other = batches.share();
  const chosen = () => batches.next({ items: [item], size: 512 }).length;
  expect(chosen()).toBe(1);
  await tokens.next();
  expect(chosen()).toBe(0);
  await tokens.next();
  expect(chosen()).toBe(1);
  other();
});

test('nothing is asked for while a sequence is changed', async () => {
  const { batches, seen, tokens } = setUp();
  let finish = () => {};
  const changed = batches.between(
    () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  );
  const first = tokens.next();
  await new Promise(setImmediate);
  expect(seen).toEqual([]);
  finish();
  await changed;
  expect(await first).toEqual({ value: 1, done: false });
  await tokens.return();
});
