/** Hands items from callbacks to one `for await` loop. */
export class Inbox<Item> {
  readonly #items: Item[] = [];
  #end: { readonly error?: Error } | undefined;
  #wake = (): void => {};

  put(item: Item): void {
    this.#items.push(item);
    this.#wake();
  }

  /** Ends the loop after the items put so far, with the error when there is one. */
  close(error?: Error): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void> {
    while (true) {
      const item = this.#items.shift();
      if (item !== undefined) {
        yield item;
      } else if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
