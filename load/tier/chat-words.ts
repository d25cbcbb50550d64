import { randomFrom } from '../engine/random.ts';
import { type Ask, promptOf } from '../engine/wording.ts';

/** A chat of a few prompt tokens. */
export function chatWords(maxTokens: number): Pick<Ask, 'messages' | 'maxTokens'> {
  return { messages: [{ role: 'user', content: promptOf(8, randomFrom(29)) }], maxTokens };
}

export function chatBody({ model }: { readonly model: string }, maxTokens: number): object {
  const { messages } = chatWords(maxTokens);
  return { model, messages, max_tokens: maxTokens, temperature: steady.temperature };
}

/** At temperature 0 models seldom end by themselves. */
export const steady = { temperature: 0 } as const;
