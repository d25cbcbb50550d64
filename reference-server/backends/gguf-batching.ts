import type { BatchItem, EvaluationPriority, PrioritizedBatchItem } from 'node-llama-cpp';

/** Of what is computed in batches of its own. */
const alone = -1;

/**
 * What the batches must know of a generation: the place of its sequence among those of the context, and whether its next
 * token may be computed in one batch with those of others. That is fast, but the sums of floating point numbers then depend
 * on what runs beside it, in a last bit that can make it another text. The priority of an evaluation carries this, as
 * nothing else of a request reaches the batches.
 */
export function evaluationPriority(place: number, shared: boolean): EvaluationPriority {
  return (shared ? place : alone) as EvaluationPriority;
}

/** So often a batch is put off for generations that are about to come back from their last one. */
const mostDelays = 100;

/**
 * Batches that are fair and repeatable. Prompts are read one at a time in pieces of one size, so that what a sequence
 * remembers of a whole piece is the same whatever runs beside it; between two pieces every generation that waits has a
 * turn: one turn for each that is alone, one for all others together.
 */
export class FairBatches {
  /** Tokens of a prompt that are read at a time. */
  readonly promptPiece: number;
  /** Turns that generations have before the next piece; not known until they have come back from their last one. */
  #owed: number | undefined;
  readonly #sharing = new Set<object>();
  #delays = 0;
  #begin = newPause();
  #changes = 0;
  #pause: { readonly over: Promise<void>; end(): void } | undefined;

  constructor(promptPiece: number) {
    this.promptPiece = promptPiece;
  }

  /** Tells of a generation that shares batches from its first token on. @returns tells that it has ended */
  share(): () => void {
    const generation = {};
    this.#sharing.add(generation);
    return () => this.#sharing.delete(generation);
  }

  /**
   * Does what node-llama-cpp does only while no batch waits. Who generates would be back before that, each time, so all
   * of them pause before their next batch.
   */
  async between(change: () => Promise<void>): Promise<void> {
    this.#changes += 1;
    this.#pause ??= newPause();
    try {
      await change();
    } finally {
      this.#changes -= 1;
      if (this.#changes === 0) {
        this.#pause.end();
        this.#pause = undefined;
      }
    }
  }

  /** To be awaited before each batch that is asked for; nothing where there is no pause. */
  pause(): Promise<void> | undefined {
    return this.#pause?.over.then(() => this.pause());
  }

  /** Resolves as soon as the next batch is under way. */
  get begun(): Promise<void> {
    return this.#begin.over;
  }

  /** What is computed next of everything that waits; nothing where others are about to come back. */
  next({ items, size }: { readonly items: readonly BatchItem[]; readonly size: number }): PrioritizedBatchItem[] {
    const batch = this.#choose(items, size);
    if (batch.length > 0) {
      this.#begin.end();
      this.#begin = newPause();
    }
    return batch;
  }

  #choose(items: readonly BatchItem[], size: number): PrioritizedBatchItem[] {
    const generating = items.filter(isGenerating);
    const prompt = items.find((item) => !isGenerating(item));
    const [first] = generating;
    if (first !== undefined) this.#owed ??= turnsOf(generating);
    if (first === undefined || (prompt !== undefined && Number(this.#owed) <= 0)) {
      this.#owed = undefined;
      if (prompt === undefined) return [];
      return [{ item: prompt, processAmount: Math.min(prompt.tokens.length, this.promptPiece) }];
    }
    const batch = isAlone(first) ? [first] : inOrder(generating.filter((item) => !isAlone(item)).slice(0, size));
    if (!isAlone(first) && this.#isWorthWaiting(batch.length)) return [];
    this.#owed = Number(this.#owed) - 1;
    return batch.map((item) => ({ item, processAmount: 1 }));
  }

  /** Generations that once miss a batch would go on by turns with the others, each in a batch of its own. */
  #isWorthWaiting(present: number): boolean {
    const missing = present < this.#sharing.size && this.#pause === undefined;
    // After an empty batch node-llama-cpp asks again as soon as others had their turn to go on.
    this.#delays = missing && this.#delays < mostDelays ? this.#delays + 1 : 0;
    return this.#delays > 0;
  }
}

function newPause() {
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { over, end };
}

function turnsOf(generating: readonly BatchItem[]): number {
  const alone = generating.filter(isAlone).length;
  return alone + (alone < generating.length ? 1 : 0);
}

/** llama.cpp computes together only what comes in the order of the sequences, without a gap. */
function inOrder(items: readonly BatchItem[]): BatchItem[] {
  return [...items].sort((one, other) => one.evaluationPriority - other.evaluationPriority);
}

function isGenerating({ tokens }: BatchItem): boolean {
  return tokens.length === 1;
}

function isAlone(item: BatchItem): boolean {
  return Number(item.evaluationPriority) === alone;
}
