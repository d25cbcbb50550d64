import { basename } from 'node:path';
import type { Llama, LlamaGrammar, LlamaModel, Token } from 'node-llama-cpp';
import { callGrammar } from '../tools/grammar.ts';
import { argumentsShape } from '../tools/shape.ts';
import type { BackendMessage, BackendTool, Generation, GenerationEvent, ServedModel } from './backend.ts';
import { evaluationPriority, FairBatches } from './gguf-batching.ts';
import { Lane, Lanes } from './gguf-lanes.ts';
import { loadModel } from './gguf-load.ts';
import { promptRenderer } from './gguf-prompt.ts';
import { defaultSequences, type GgufOptions, type GgufSettings } from './gguf-protocol.ts';
import { isReproducible, sampling } from './gguf-sampling.ts';
import { characterReader } from './gguf-text.ts';
import { StopScan } from './stop-scan.ts';

/** A model in this process. */
export interface GgufModel {
  readonly served: ServedModel;
  readonly settings: GgufSettings;
  /** Characters of the longest token, so that a text has no fewer tokens than its length divided by it. */
  readonly longestToken: number;
  countPrompt(messages: readonly BackendMessage[], tools: readonly BackendTool[]): number;
  /** As the backend's `generate`; once `isAborted` says so it ends without an end event, after the step under way. */
  generate(generation: Generation, isAborted: () => boolean): AsyncIterable<GenerationEvent>;
}

/**
 * Loads a model to generate with.
 * @throws with what is wrong and what to do, but without the path
 */
export async function ggufModel(options: GgufOptions): Promise<GgufModel> {
  const { llamaCpp, llama, model, threads, modified, tiny } = await loadModel(options);
  const { metadata } = model.fileInfo;
  const chatTemplate = metadata.tokenizer.chat_template;
  if (chatTemplate === undefined)
    throw new Error('it has no chat template (tokenizer.chat_template): take a chat model');

  const batches = new FairBatches(promptPiece(llama, tiny));
  const context = await model.createContext({
    sequences: options.sequences ?? defaultSequences,
    contextSize: options.contextSize === undefined ? 'auto' : Math.min(options.contextSize, model.trainContextSize),
    threads,
    // On a CPU it makes reading a prompt several times slower.
    flashAttention: llama.gpu !== false,
    batching: { itemPrioritizationStrategy: batches.next },
  });
  const lanes = new Lanes(
    Array.from({ length: context.totalSequences }, () => new Lane(context.getSequence(), batches)),
  );
  const { bosString: bos, eosString: eos } = model.tokens;
  const render = promptRenderer(chatTemplate, { bos: bos ?? '', eos: eos ?? '' });

  const tokenize = (messages: readonly BackendMessage[], tools: readonly BackendTool[] = []): Token[] => {
    const pieces = render(messages, tools).map((piece, place) =>
      place % 2 === 0 ? new llamaCpp.SpecialTokensText(piece) : piece,
    );
    const tokens = llamaCpp.LlamaText(pieces).tokenize(model.tokenizer);
    const { bos: first, shouldPrependBosToken } = model.tokens;
    return shouldPrependBosToken && first !== null && tokens[0] !== first ? [first, ...tokens] : tokens;
  };

  return {
    served: {
      id:
        options.modelId ??
        metadata.general.name?.trim().replaceAll(/\s+/g, '-') ??
        basename(options.modelPath, '.gguf'),
      created: modified,
      contextWindow: context.contextSize,
      vision: false,
    },
    settings: { gpu: llama.gpu, contextSize: context.contextSize, sequences: context.totalSequences, threads },
    longestToken: metadata.tokenizer.ggml.tokens.reduce((longest, { length }) => Math.max(longest, length), 1),
    countPrompt: (messages, tools) => tokenize(messages, tools).length,
    async *generate(generation, isAborted) {
      const prompt = tokenize(generation.messages, generation.tools);
      const grammar = generation.forced && (await grammarOf(llama, generation.forced, tiny));
      const exact = isReproducible(generation);
      const lane = await lanes.borrow(prompt, exact);
      let ended: (() => void) | undefined;
      try {
        const read = await lane.read(prompt, { exact, isAborted });
        if (read === undefined) return;
        const sampled: Token[] = [];
        const tokens = lane.sequence.evaluate(read.unread, {
          ...sampling(generation, sampled),
          ...(grammar && {
            grammarEvaluationState: new llamaCpp.LlamaGrammarEvaluationState({ model, grammar }),
          }),
          evaluationPriority: exact ? evaluationPriority.alone : evaluationPriority.shared,
          yieldEogToken: true,
        });
        for await (const event of answer(model, generation, tokens, sampled, isAborted)) {
          if (!exact) ended ??= batches.share();
          yield event.type === 'end' ? { ...event, promptTokensRead: read.tokens } : event;
          await batches.pause();
        }
      } finally {
        ended?.();
        lanes.giveBack(lane);
      }
    },
  };
}

/**
 * Tokens of a prompt that are read at a time: as few as lose no speed, since every stream waits meanwhile. Always the same
 * for one model and machine.
 */
function promptPiece(llama: Llama, tiny: boolean): number {
  if (llama.gpu !== false) return 256;
  return tiny ? 32 : 16;
}

/** A tiny model may lose itself in a text that nobody asked for, so that its texts and lists get bounds. */
const tinyBounds = { text: 120, items: 4 } as const;

function grammarOf(llama: Llama, forced: readonly BackendTool[], tiny: boolean): Promise<LlamaGrammar> {
  const functions = forced.map(({ name, parameters }) => ({ name, shape: argumentsShape(parameters) }));
  return llama.createGrammar({ grammar: callGrammar(functions, tiny ? tinyBounds : {}) });
}

async function* answer(
  model: LlamaModel,
  { stop, maxTokens }: Generation,
  tokens: AsyncIterable<Token>,
  sampled: Token[],
  isAborted: () => boolean,
): AsyncIterable<GenerationEvent> {
  const characters = characterReader<Token>((some, before) => model.detokenize(some, false, before));
  const stops = new StopScan(stop);
  for await (const token of tokens) {
    if (isAborted()) return;
    sampled.push(token);
    const over = model.isEogToken(token) || sampled.length === maxTokens;
    const passed = stops.add(characters.read(token) + (over ? characters.rest() : ''));
    const text = over && !passed.stopped ? passed.text + stops.rest() : passed.text;
    if (text !== '') yield { type: 'text', text };
    if (!over && !passed.stopped) continue;
    const finishReason = passed.stopped || model.isEogToken(token) ? 'stop' : 'length';
    yield { type: 'end', finishReason, completionTokens: sampled.length };
    return;
  }
  throw new Error('the model gave no next token');
}
