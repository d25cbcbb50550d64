import type { Exchange } from './admission.ts';
import type { Generation, GenerationEvent } from './backends/backend.ts';
import type { Place } from './limits/store.ts';
import type { Service } from './service.ts';

interface Job {
  readonly generation: Generation;
  readonly promptTokens: number;
  readonly place: Place;
}

/**
 * Generates in the place of a chat. However it ends, the place is free again and the tokens are counted, provided that a
 * generator which was begun is run to its end or returned.
 */
export async function* generate(
  { backend, limiter, onFault }: Service,
  { account }: Exchange,
  { generation, promptTokens, place }: Job,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent> {
  if (signal.aborted) return place.release();
  let tokens = 0;
  try {
    for await (const event of backend.generate(generation, signal)) {
      // Where the end is never seen, the pieces of text stand for the tokens.
      tokens = event.type === 'end' ? event.completionTokens : tokens + 1;
      yield event;
    }
  } finally {
    await place.release();
    // The answer is there, whether it can be counted or not.
    await limiter.countTokens(account, promptTokens + tokens).catch(onFault);
  }
}
