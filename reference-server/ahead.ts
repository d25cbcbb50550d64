import { setImmediate as nextTurn } from 'node:timers/promises';

/** Items that are made one after the other before everything else has its turn. */
const burst = 16;

/**
 * The same items, made no later because they are read late: what is not read yet is kept in memory, however much that
 * is. Who stops reading stops the making at its next item.
 */
export async function* ahead<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item, void> {
  let made: Item[] = [];
  let isOver = false;
  let isLeft = false;
  let wake = () => {};

  async function make(): Promise<void> {
    try {
      for await (const item of items) {
        if (isLeft) return;
        made.push(item);
        wake();
        if (made.length % burst === 0) await nextTurn();
      }
    } finally {
      isOver = true;
      wake();
    }
  }

  const making = make();
  // A failure is the reader's to see, once it has read what was made before.
  making.catch(() => {});
  try {
    while (made.length > 0 || !isOver) {
      const batch = made;
      made = [];
      for (const item of batch) yield item;
      if (made.length > 0 || isOver) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    await making;
  } finally {
    isLeft = true;
  }
}
