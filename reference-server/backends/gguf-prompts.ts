import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { LlamaModel, Token } from 'node-llama-cpp';
import type { BackendMessage, BackendTool } from './backend.ts';
import type { PromptRenderer } from './gguf-prompt.ts';
import { slicesOf, type Vocabulary } from './gguf-vocabulary.ts';

/** Chats that were counted and wait for their turn; of a prompt that is forgotten the tokens are made again. */
const mostRemembered = 64;

/** So long, in milliseconds, the generations under way may wait for their next batch. */
const longestStretchMs = 2;
/** Characters that are tokenised at once, where a text can be cut; they take less than that. */
const sliceLength = 2048;

/** The tokens of prompts. They are made once for each, though a chat asks twice: for their number, then to generate. */
export class Prompts {
  readonly #model: LlamaModel;
  readonly #render: PromptRenderer;
  readonly #vocabulary: Vocabulary;
  readonly #contextWindow: number;
  /** By a hash of the prompt, the one that was asked for last in the end. */
  readonly #remembered = new Map<string, Token[]>();

  /** @param contextWindow in tokens; of a prompt that is longer nothing is remembered, as it is refused */
  constructor(model: LlamaModel, render: PromptRenderer, vocabulary: Vocabulary, contextWindow: number) {
    this.#model = model;
    this.#render = render;
    this.#vocabulary = vocabulary;
    this.#contextWindow = contextWindow;
  }

  /** Tokens of the whole prompt; none once the signal is aborted. @throws what the chat template throws */
  async tokens(
    messages: readonly BackendMessage[],
    tools: readonly BackendTool[],
    signal: AbortSignal,
  ): Promise<Token[]> {
    // A text may be far longer than its tokens.
    const key = createHash('sha256')
      .update(JSON.stringify([messages, tools]))
      .digest('base64');
    const tokens = this.#remembered.get(key) ?? (await this.#tokenize(this.#render(messages, tools), signal));
    if (signal.aborted) return [];
    if (tokens.length <= this.#contextWindow) this.#remember(key, tokens);
    return tokens;
  }

  #remember(key: string, tokens: Token[]): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, tokens);
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined && this.#remembered.size > mostRemembered) this.#remembered.delete(oldest);
  }

  /** In stretches between which batches have their turn. @param pieces the template's text and what users wrote by turns */
  async #tokenize(pieces: readonly string[], signal: AbortSignal): Promise<Token[]> {
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    const { isBytePair, hasSeams } = this.#vocabulary;
    const tokens: Token[] = [];
    let since = performance.now();
    for (const [place, piece] of pieces.entries()) {
      const isTemplate = place % 2 === 0;
      for (const slice of hasSeams && !isTemplate ? slicesOf(piece, sliceLength) : [piece]) {
        // Other tokenizers put a space before a text, which belongs to the beginning of the prompt alone.
        const isInside = !isBytePair && (tokens.length > 0 || !isTemplate);
        for (const token of this.#model.tokenize(slice, isTemplate, isInside ? 'trimLeadingSpace' : undefined)) {
          tokens.push(token);
        }
        if (performance.now() - since < longestStretchMs) continue;
        await setImmediate();
        if (signal.aborted) return [];
        since = performance.now();
      }
    }
    return shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens;
  }
}
