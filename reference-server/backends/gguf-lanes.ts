import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import type { FairBatches } from './gguf-batching.ts';

/** A sequence of the context, and how much of what it remembers is the same in every run. */
export class Lane {
  readonly sequence: LlamaContextSequence;
  readonly #batches: FairBatches;
  /** Tokens at the beginning that were read in whole pieces, each after whole pieces alone. */
  #exact = 0;

  constructor(sequence: LlamaContextSequence, batches: FairBatches) {
    this.sequence = sequence;
    this.#batches = batches;
  }

  /**
   * How many tokens at the beginning of a prompt need not be read again; never all of them, as the last one gives the
   * first of the answer. @param exact leave out what another run might remember with other bits
   */
  remembered(prompt: Token[], exact: boolean): number {
    const known = Math.min(this.sequence.compareContextTokens(prompt).firstDifferentIndex, prompt.length - 1);
    return exact ? this.#whole(Math.min(known, this.#exact)) : known;
  }

  /**
   * Reads a prompt but for its end, forgetting what differs from it. @returns the tokens that are still to be evaluated,
   * and how many there were with them; nothing where it was aborted
   */
  async read(
    prompt: Token[],
    exact: boolean,
    signal: AbortSignal,
  ): Promise<{ readonly unread: Token[]; readonly tokens: number } | undefined> {
    const { sequence } = this;
    const { promptPiece } = this.#batches;
    const keep = this.remembered(prompt, exact);
    if (keep < sequence.nextTokenIndex) {
      const forgotten = { start: keep, end: sequence.nextTokenIndex };
      await this.#batches.between(() => sequence.eraseContextTokenRanges([forgotten]));
    }
    // Not every kind of model can forget a part.
    const kept = sequence.nextTokenIndex;
    this.#exact = this.#whole(Math.min(this.#exact, kept));
    const isExact = this.#exact === kept;
    let at = kept;
    for (; prompt.length - at > promptPiece; at = sequence.nextTokenIndex) {
      await this.#batches.pause();
      if (signal.aborted) return undefined;
      await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(at, at + promptPiece));
      if (isExact) this.#exact = sequence.nextTokenIndex;
    }
    await this.#batches.pause();
    if (signal.aborted) return undefined;
    if (isExact) this.#exact = this.#whole(prompt.length);
    return { unread: prompt.slice(at), tokens: prompt.length - kept };
  }

  #whole(tokens: number): number {
    return tokens - (tokens % this.#batches.promptPiece);
  }
}

/** Lends lanes; who finds none free waits in line. */
export class Lanes {
  /** The one that was used longest ago comes first. */
  readonly #free: Lane[];
  readonly #waiting = new Set<(lane: Lane) => void>();

  constructor(lanes: readonly Lane[]) {
    this.#free = [...lanes];
  }

  /**
   * The free lane that remembers most of the beginning of this prompt, if it would forget less than that; else the one
   * that was used longest ago, so that a conversation is not lost to another with the same greeting. Nothing once the
   * signal is aborted.
   */
  async borrow(prompt: Token[], exact: boolean, signal: AbortSignal): Promise<Lane | undefined> {
    if (signal.aborted) return undefined;
    const [oldest] = this.#free;
    if (oldest === undefined) return this.#wait(signal);
    let best = oldest;
    let most = 0;
    for (const lane of this.#free) {
      const known = lane.remembered(prompt, exact);
      if (known > most && 2 * known > lane.sequence.nextTokenIndex) [best, most] = [lane, known];
    }
    this.#free.splice(this.#free.indexOf(best), 1);
    return best;
  }

  giveBack(lane: Lane): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free.push(lane);
    else next(lane);
  }

  #wait(signal: AbortSignal): Promise<Lane | undefined> {
    return new Promise((resolve) => {
      const settle = (lane?: Lane): void => {
        this.#waiting.delete(settle);
        signal.removeEventListener('abort', leave);
        resolve(lane);
      };
      const leave = (): void => settle();
      this.#waiting.add(settle);
      signal.addEventListener('abort', leave);
    });
  }
}
