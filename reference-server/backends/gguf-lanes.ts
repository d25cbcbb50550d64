import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import type { FairBatches } from './gguf-batching.ts';

/** A sequence of the context, and how much of what it remembers is the same in every run. */
export class Lane {
  /** Of the sequence among those of its context, from 0. */
  readonly place: number;
  readonly sequence: LlamaContextSequence;
  readonly #batches: FairBatches;
  /** Tokens at the beginning that were read in whole pieces, each after whole pieces alone. */
  #exact = 0;

  constructor(place: number, sequence: LlamaContextSequence, batches: FairBatches) {
    this.place = place;
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
  readonly #count: number;
  readonly #waiting = new Set<(lane: Lane) => void>();

  constructor(lanes: readonly Lane[]) {
    this.#free = [...lanes];
    this.#count = lanes.length;
  }

  /**
   * The free lane that remembers most of the beginning of this prompt, if it would forget less than that. Else one
   * between lanes that are in use, or beside one, as llama.cpp computes only neighbours together; of several the one that
   * was used longest ago, so that a conversation is not lost to another with the same greeting. An exact one has no use
   * for neighbours. Nothing once the signal is aborted.
   */
  async borrow(prompt: Token[], exact: boolean, signal: AbortSignal): Promise<Lane | undefined> {
    if (signal.aborted) return undefined;
    const lane = this.#knowing(prompt, exact) ?? (exact ? this.#free[0] : this.#nearest());
    if (lane === undefined) return this.#wait(signal);
    this.#free.splice(this.#free.indexOf(lane), 1);
    return lane;
  }

  #knowing(prompt: Token[], exact: boolean): Lane | undefined {
    const known = this.#free.map((lane) => ({ lane, tokens: lane.remembered(prompt, exact) }));
    const useful = known.filter(({ lane, tokens }) => 2 * tokens > lane.sequence.nextTokenIndex);
    return first(useful, ({ tokens }) => tokens)?.lane;
  }

  #nearest(): Lane | undefined {
    const free = new Set(this.#free.map(({ place }) => place));
    const isUsed = (place: number) => place >= 0 && place < this.#count && !free.has(place);
    return first(this.#free, ({ place }) => Number(isUsed(place - 1)) + Number(isUsed(place + 1)));
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

/** Of those with the highest worth the one that comes first. */
function first<T>(items: readonly T[], worth: (item: T) => number): T | undefined {
  let best: T | undefined;
  for (const item of items) if (best === undefined || worth(item) > worth(best)) best = item;
  return best;
}
