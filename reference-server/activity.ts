/** What a server has under way that must not be cut. */
export class Activity {
  readonly #parts = new Set<() => void>();
  #idle = () => {};

  get size(): number {
    return this.#parts.size;
  }

  /** Something begins. @returns says that it is over; to say it again changes nothing */
  begin(): () => void {
    const end = () => {
      if (this.#parts.delete(end) && this.#parts.size === 0) this.#idle();
    };
    this.#parts.add(end);
    return end;
  }

  /** Resolves when nothing is under way, however often something new begins before that. */
  async over(): Promise<void> {
    while (this.#parts.size > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
  }
}
