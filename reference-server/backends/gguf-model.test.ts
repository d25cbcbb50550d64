import type { PrioritizedBatchItem } from 'node-llama-cpp';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Generation, GenerationEvent } from './backend.ts';
import { evaluationPriority, FairBatches } from './gguf-batching.ts';
import { Lanes } from './gguf-lanes.ts';
import { type GgufModel, ggufModel } from './gguf-model.ts';
import { endless, request, shippedOptions } from './gguf-rig.ts';

// The model runs in this process, so that its batches are seen as they are given to llama.cpp. By vitest.config.ts it has
// one thread that samples, as the process of a model has.

const never = new AbortController().signal;
/** Tokens of a prompt in one batch. */
const piece = 32;

/** One batch: how many tokens of each sequence, and whether its generation must be alone. */
type Batch = readonly {
  readonly tokens: number;
  readonly isPrompt: boolean;
  readonly isAlone: boolean;
  readonly priority: number;
}[];

/** Sees every batch that is not empty from now on. @param onBatch called with all so far before the last is computed */
function watchBatches(onBatch: (batches: readonly Batch[]) => void = () => {}): readonly Batch[] {
  const seen: Batch[] = [];
  const { next } = FairBatches.prototype;
  vi.spyOn(FairBatches.prototype, 'next').mockImplementation(function (this: FairBatches, queue) {
    const chosen = next.call(this, queue);
    if (chosen.length > 0) {
      seen.push(chosen.map(toSeen));
      onBatch(seen);
    }
    return chosen;
  });
  return seen;
}

function toSeen({ item, processAmount }: PrioritizedBatchItem): Batch[number] {
  const isAlone = item.evaluationPriority === evaluationPriority(0, false);
  return { tokens: processAmount, isPrompt: item.tokens.length > 1, isAlone, priority: item.evaluationPriority };
}

const isPiece = (batch: Batch) => batch.some(({ isPrompt }) => isPrompt);
const places = (batch: Batch) => batch.map(({ priority }) => priority);
const isTurn = (batch: Batch) => !isPiece(batch);

afterEach(() => {
  vi.restoreAllMocks();
});

async function run(model: GgufModel, generation: Generation, signal = never): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = [];
  for await (const event of model.generate(generation, signal)) events.push(event);
  return events;
}

/** By chance, but for as long as it may. */
const free = (maxTokens: number) => request(endless, { temperature: 0.1, maxTokens });

describe('many sequences', () => {
  let model: GgufModel;
  beforeAll(async () => {
    model = await ggufModel(shippedOptions);
  });

  test('whose text is left to chance share their batches', async () => {
    const batches = watchBatches();
    await Promise.all([1, 2, 3].map(() => run(model, free(100))));
    const turns = batches.filter(isTurn);
    // The first token of each comes with the end of its prompt.
    expect(turns.flat()).toHaveLength(3 * 99);
    // They begin one after another, and then go on together.
    expect(turns.length).toBeLessThan(99 + 40);
    expect(turns.filter((batch) => batch.length === 3).length).toBeGreaterThan(99 - 40);
    // llama.cpp makes one computation only of neighbours in their order.
    for (const batch of turns) {
      const [first = 0] = places(batch);
      expect(places(batch)).toEqual(batch.map((_, place) => first + place));
    }
  });

  test('who has a seed is alone in every batch, whoever runs beside it', async () => {
    const batches = watchBatches();
    const seeded = [7, 8].map((seed) => run(model, { ...free(60), seed }));
    await Promise.all([...seeded, ...[1, 2, 3].map(() => run(model, free(60)))]);
    const alone = batches.filter((batch) => isTurn(batch) && batch.some(({ isAlone }) => isAlone));
    expect(alone).toHaveLength(2 * 59);
    for (const batch of alone) expect(batch).toHaveLength(1);
    const others = batches.filter((batch) => isTurn(batch) && !alone.includes(batch));
    expect(others.filter((batch) => batch.length === 3).length).toBeGreaterThan(30);
  });

  test('a prompt is read in pieces, each in a batch of its own, between which streams have their turn', async () => {
    const streams = [new AbortController(), new AbortController()];
    let heard = 0;
    let begin = () => {};
    const flowing = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const streaming = streams.map(async ({ signal }, place) => {
      const wish = { ...free(4000), ...(place === 0 && { seed: 7 }) };
      for await (const _ of model.generate(wish, signal)) {
        heard += 1;
        if (heard === 20) begin();
      }
    });
    await flowing;
    const batches = watchBatches();
    await run(model, request('the sea and '.repeat(500), { temperature: 0.7, maxTokens: 1 }));
    for (const stream of streams) stream.abort();
    await Promise.all(streaming);

    const pieces = batches.filter(isPiece);
    expect(pieces.length).toBeGreaterThan(40);
    for (const batch of pieces) expect(batch).toHaveLength(1);
    for (const [{ tokens } = { tokens: 0 }] of pieces.slice(0, -1)) expect(tokens).toBe(piece);
    const between = batches.slice(batches.findIndex(isPiece), batches.findLastIndex(isPiece)).filter(isTurn);
    // One turn for the stream that is alone and one for the other, unless it comes too late for it.
    expect(between.length / (pieces.length - 1)).toBeGreaterThan(1.5);
    expect(between.length / (pieces.length - 1)).toBeLessThan(2.5);
    expect(between.filter(([one]) => one?.isAlone).length).toBeGreaterThan(between.length / 3);
    expect(between.filter(([one]) => !one?.isAlone).length).toBeGreaterThan(between.length / 3);
  });
});

describe('one sequence', () => {
  let model: GgufModel;
  beforeAll(async () => {
    model = await ggufModel({ ...shippedOptions, sequences: 1 });
  });

  /** That the sequence is free is seen by an answer that comes to its end. */
  const answers = async () => expect((await run(model, request('Hello'))).at(-1)).toMatchObject({ type: 'end' });

  test('is not read on for who leaves while the prompt is read', async () => {
    const leaving = new AbortController();
    const batches = watchBatches((seen) => {
      if (seen.length === 3) leaving.abort();
    });
    expect(await run(model, request('the sea and '.repeat(500)), leaving.signal)).toEqual([]);
    expect(batches).toHaveLength(3);
    vi.restoreAllMocks();
    await answers();
  });

  test('gives nothing more to who leaves while a batch is computed', async () => {
    const leaving = new AbortController();
    const batches = watchBatches((seen) => {
      if (seen.filter(isTurn).length === 5) leaving.abort();
    });
    const events = await run(model, { ...free(1000), seed: 7 }, leaving.signal);
    expect(batches.filter(isTurn)).toHaveLength(5);
    // The last one before that is given as soon as the next is computed.
    expect(events.map(({ type }) => type)).toEqual(Array(4).fill('text'));
    vi.restoreAllMocks();
    await answers();
  });

  test('lets who waits for it leave at once, and is then for the next in line', async () => {
    const borrow = vi.spyOn(Lanes.prototype, 'borrow');
    // Between two of its events it has the sequence and computes no more than one token, until somebody asks for the next.
    const first = model.generate(free(100), never)[Symbol.asyncIterator]();
    await first.next();
    const leaving = new AbortController();
    const second = run(model, request('Hello'), leaving.signal);
    await vi.waitUntil(() => borrow.mock.calls.length === 2, { timeout: 15_000 });
    const third = answers();
    await vi.waitUntil(() => borrow.mock.calls.length === 3, { timeout: 15_000 });
    leaving.abort();
    expect(await second).toEqual([]);
    await first.return?.();
    await third;
  });
});
