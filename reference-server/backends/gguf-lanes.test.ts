import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import { expect, test } from 'vitest';
import { FairBatches } from './gguf-batching.ts';
import { Lane, Lanes } from './gguf-lanes.ts';

const never = new AbortController().signal;
const batches = new FairBatches(32);

/** A sequence that remembers these tokens. */
function sequence(tokens: readonly number[]): LlamaContextSequence {
  const compareContextTokens = (prompt: Token[]) => {
    const differs = tokens.findIndex((token, index) => token !== prompt[index]);
    return { firstDifferentIndex: differs === -1 ? tokens.length : differs };
  };
  return {
    nextTokenIndex: tokens.length,
    compareContextTokens,
  } as Partial<LlamaContextSequence> as LlamaContextSequence;
}

function lanes(memories: readonly (readonly number[])[]) {
  const all = memories.map((tokens, place) => new Lane(place, sequence(tokens), batches));
  return { all, lanes: new Lanes(all) };
}

const prompt = [1, 2, 3, 4, 5] as number[] as Token[];
const place = async (from: Lanes) => (await from.borrow(prompt, false, never))?.place;

test('who remembers most of a prompt is taken, unless it would forget more than that', async () => {
  const { lanes: some } = lanes([[], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 6, 7, 8, 9]]);
  expect(await place(some)).toBe(2);
  expect(await place(some)).toBe(1);
  // Of no use are both that are left: one knows nothing, one would lose as much as it knows.
  expect(await place(some)).toBe(0);
  expect(await place(some)).toBe(3);
});

test('who knows nothing is taken where it makes neighbours of those in use, of several the one used longest ago', async () => {
  const { all, lanes: some } = lanes(Array(6).fill([9, 9]));
  const [zero, one, two, three] = all;
  expect([await place(some), await place(some), await place(some), await place(some)]).toEqual([0, 1, 2, 3]);
  if (!(zero && one && two && three)) throw new Error('there are no lanes');
  some.giveBack(zero);
  some.giveBack(two);
  // Between two others, although another is free for longer.
  expect(await place(some)).toBe(2);
  // Beside one: 4 is free for longer than 0.
  expect(await place(some)).toBe(4);
  for (const lane of [one, two, three]) some.giveBack(lane);
});

test('who is computed alone takes the one used longest ago, whoever is in use', async () => {
  const { all, lanes: some } = lanes(Array(4).fill([9, 9]));
  const [zero, one] = all;
  expect([await place(some), await place(some)]).toEqual([0, 1]);
  if (!(zero && one)) throw new Error('there are no lanes');
  some.giveBack(zero);
  expect((await some.borrow(prompt, true, never))?.place).toBe(2);
  // Beside those in use is 3, and longer free than 0.
  expect((await some.borrow(prompt, true, never))?.place).toBe(3);
  expect(await place(some)).toBe(0);
});

test('with none in use, they are taken by turns', async () => {
  const { all, lanes: some } = lanes(Array(3).fill([9, 9]));
  const taken: (number | undefined)[] = [];
  for (let turn = 0; turn < 6; turn += 1) {
    const at = await place(some);
    taken.push(at);
    const lane = all[Number(at)];
    if (lane) some.giveBack(lane);
  }
  expect(taken).toEqual([0, 1, 2, 0, 1, 2]);
});
