import type { FairBatches } from './gguf-batching.ts';

export interface DrawOptions<Token> {
  readonly batches: FairBatches;
  /** Whether it is computed in one batch with others. */
  readonly shared: boolean;
  /** Is told of each token before the next one is asked for. @returns whether one is to come */
  take(token: Token): boolean;
}

/**
 * The tokens of a generation. The next one is asked for before one is given, so that what is done with it costs no time
 * of the model. Who ends it before its last token waits for the one that is being computed.
 */
export async function* draw<Token>(
  tokens: AsyncGenerator<Token, void, void>,
  { batches, shared, take }: DrawOptions<Token>,
): AsyncGenerator<Token, void, void> {
  let leave: (() => void) | undefined;
  const ask = () => batches.pause()?.then(() => tokens.next()) ?? tokens.next();
  try {
    let coming = ask();
    while (true) {
      const { value, done } = await coming;
      if (done) return;
      if (shared) leave ??= batches.share();
      const more = take(value);
      if (more) {
        coming = ask();
        // Whether it fails is for who asks next.
        await Promise.race([batches.begun, coming.catch(() => {})]);
      } else leave?.();
      yield value;
      if (!more) return;
    }
  } finally {
    leave?.();
    await tokens.return();
  }
}
