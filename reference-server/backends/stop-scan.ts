/** What a piece of text lets out, and whether a stop sequence was found in it. */
export interface Scanned {
  readonly text: string;
  readonly stopped: boolean;
}

/**
 * Finds stop sequences in text that comes in pieces. What might be the beginning of one is held back until the text
 * that follows decides.
 */
export class StopScan {
  readonly #stops: readonly string[];
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  add(piece: string): Scanned {
    const text = this.#held + piece;
    const found = this.#stops.map((stop) => text.indexOf(stop)).filter((index) => index !== -1);
    if (found.length > 0) return { text: text.slice(0, Math.min(...found)), stopped: true };
    const kept = Math.max(0, ...this.#stops.map((stop) => overlap(text, stop)));
    this.#held = text.slice(text.length - kept);
    return { text: text.slice(0, text.length - kept), stopped: false };
  }

  /** What is still held back, once nothing follows. */
  rest(): string {
    return this.#held;
  }
}

/** Length of the longest end of `text` with which `stop` begins. */
export function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length -= 1) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
