export interface Interruptions {
  /** Resolves with the first. */
  readonly asked: Promise<void>;
  /** Aborted when the process that started this one is gone. */
  readonly alone: AbortSignal;
  /** What interrupts does again what it always does. */
  end(): void;
}

/** Listens for what asks this process to end. @param exit ends it at once, by a second signal */
export function interruptions(exit: (code: number) => void): Interruptions {
  const alone = new AbortController();
  let ask = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  let count = 0;
  // To the first process of a container a signal without a listener is nothing.
  const signalled = (_: NodeJS.Signals, number: number) => {
    count += 1;
    if (count > 1) exit(128 + number);
    ask();
  };
  const left = () => {
    alone.abort();
    ask();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, signalled);
  process.on('disconnect', left);
  return {
    asked,
    alone: alone.signal,
    end() {
      for (const signal of signals) process.off(signal, signalled);
      // It would keep the channel, and so the process.
      process.off('disconnect', left);
    },
  };
}
