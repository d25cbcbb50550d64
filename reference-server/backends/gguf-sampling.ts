import { randomInt } from 'node:crypto';
import type { SequenceEvaluateOptions, Token } from 'node-llama-cpp';
import type { Generation } from './backend.ts';

/** How node-llama-cpp is to draw tokens. @param sampled the tokens drawn so far, which penalties are about */
export function sampling(generation: Generation, sampled: Token[]): SequenceEvaluateOptions {
  const { temperature, topP, frequencyPenalty, presencePenalty, maxTokens } = generation;
  const penalties = { penalty: 1, frequencyPenalty, presencePenalty, maxPunishTokens: maxTokens };
  return {
    temperature,
    topP,
    // @ts-expect-error A limit of 0 sorts the whole vocabulary for each token. Only null sets none.
    topK: null,
    // Seeds are 32 bits wide, and the largest of them means a random one.
    seed: generation.seed === undefined ? randomInt(0xffff_ffff) : (generation.seed >>> 0) % 0xffff_ffff,
    ...(frequencyPenalty !== 0 || presencePenalty !== 0
      ? { repeatPenalty: { ...penalties, punishTokens: () => sampled } }
      : {}),
  };
}

/** Whether the same request must give the same text: by its seed, or since nothing is left to chance. */
export function isReproducible({ seed, temperature, topP }: Generation): boolean {
  return seed !== undefined || temperature === 0 || topP === 0;
}
