import type { LlamaContextSequence, Token } from 'node-llama-cpp';

/** Lends sequences; who finds none free waits in line. */
export class Sequences {
  readonly #free: LlamaContextSequence[];
  readonly #waiting: ((sequence: LlamaContextSequence) => void)[] = [];

  constructor(sequences: readonly LlamaContextSequence[]) {
    this.#free = [...sequences];
  }

  /** The free sequence that remembers the longest beginning of these tokens. */
  async borrow(tokens: Token[]): Promise<LlamaContextSequence> {
    const known = (sequence: LlamaContextSequence): number => sequence.compareContextTokens(tokens).firstDifferentIndex;
    const best = this.#free.toSorted((one, other) => known(other) - known(one))[0];
    if (best === undefined) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#free.splice(this.#free.indexOf(best), 1);
    return best;
  }

  giveBack(sequence: LlamaContextSequence): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(sequence);
    else next(sequence);
  }
}
