/** How a request ended: answered whole, refused for a limit, left when the run ended, or by a kind of failure. */
export type Ending = 'succeeded' | 'limited' | 'unfinished' | { readonly failed: string };

/** One request from its due time to its end. Times are milliseconds of one monotonic clock. */
export class Flight {
  readonly due: number;
  /** Whether it counts: it was not sent to warm the target up. */
  readonly measured: boolean;
  /** When the client set about it. */
  readonly begun: number;
  /** When it was written to its connection. */
  sent: number | undefined;
  firstContent: number | undefined;
  lastContent: number | undefined;
  /** Pieces of content. */
  pieces = 0;
  promptTokens: number | undefined;
  outputTokens: number | undefined;
  readonly #onGap: (ms: number) => void;

  constructor(due: number, begun: number, measured: boolean, onGap: (ms: number) => void) {
    this.due = due;
    this.begun = begun;
    this.measured = measured;
    this.#onGap = onGap;
  }

  /** A piece of content arrived. @param at when, where that is known */
  content(at: number | undefined): void {
    this.pieces += 1;
    if (at === undefined) return;
    if (this.lastContent === undefined) this.firstContent = at;
    else if (this.measured) this.#onGap(at - this.lastContent);
    this.lastContent = at;
  }

  usage(usage: { readonly prompt_tokens?: unknown; readonly completion_tokens?: unknown }): void {
    if (typeof usage.prompt_tokens === 'number') this.promptTokens = usage.prompt_tokens;
    if (typeof usage.completion_tokens === 'number') this.outputTokens = usage.completion_tokens;
  }
}
