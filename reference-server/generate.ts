import type { Exchange } from './admission.ts';
import type { Generation, GenerationEvent } from './backends/backend.ts';
import type { Service } from './service.ts';

interface Job {
  readonly generation: Generation;
  readonly promptTokens: number;
}

/**
 * Generates within the limits of the account. However it ends, the account's slot is free again and the tokens are
 * counted, provided that a generator which was begun is run to its end or returned.
 * @throws ApiError where the account has no slot or no tokens left
 */
export async function* generate(
  { backend, limiter }: Service,
  { account }: Exchange,
  { generation, promptTokens }: Job,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent> {
  const refusal = (await limiter.refuseTokens(account)) ?? limiter.refuseSlot(account);
  if (refusal) throw refusal;
  const slot = limiter.takeSlot(account);
  let tokens = 0;
  try {
    for await (const event of backend.generate(generation, signal)) {
      // Where the end is never seen, the pieces of text stand for the tokens.
      tokens = event.type === 'end' ? event.completionTokens : tokens + 1;
      yield event;
    }
  } finally {
    slot.release();
    await limiter.countTokens(account, promptTokens + tokens);
  }
}
