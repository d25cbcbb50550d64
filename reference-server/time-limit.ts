/** A signal that a time, or another signal, aborts. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  /** Whether it was the time. */
  readonly expired: () => boolean;
  /** Aborts nothing any more, and leaves nothing behind. */
  end(): void;
}

/**
 * What AbortSignal.any and AbortSignal.timeout say, but for the garbage collector: Node 20 lets it take such a signal
 * while somebody listens, who then waits for ever.
 */
export function timeLimit(ms: number, signal: AbortSignal): TimeLimit {
  const controller = new AbortController();
  let expired = false;
  const abort = () => controller.abort(signal.reason);
  const timer = setTimeout(() => {
    expired = true;
    controller.abort();
  }, ms);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    expired: () => expired,
    end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    },
  };
}
