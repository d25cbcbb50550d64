import { basename } from 'node:path';
import type { Llama, LlamaGrammar, LlamaModel, Token } from 'node-llama-cpp';
import { callGrammar } from '../tools/grammar.ts';
import { argumentsShape } from '../tools/shape.ts';
import type { BackendMessage, BackendTool, Generation, GenerationEvent, ServedModel } from './backend.ts';
import { evaluationPriority, FairBatches } from './gguf-batching.ts';
import { draw } from './gguf-draw.ts';
import { Lane, Lanes } from './gguf-lanes.ts';
import { loadModel } from './gguf-load.ts';
import { promptRenderer } from './gguf-prompt.ts';
import { Prompts } from './gguf-prompts.ts';
import { defaultSequences, type GgufOptions, type GgufSettings } from './gguf-protocol.ts';
import { isReproducible, sampling } from './gguf-sampling.ts';
import { characterReader } from './gguf-text.ts';
import { vocabularyOf } from './gguf-vocabulary.ts';
import { StopScan } from './stop-scan.ts';

/** A model in this process. */
export interface GgufModel {
  readonly served: ServedModel;
  readonly settings: GgufSettings;
  /** In bytes, as {@link Vocabulary} has it. */
  readonly longestToken: number;
  /** As the backend's. */
  countPrompt(
    messages: readonly BackendMessage[],
    signal: AbortSignal,
    tools?: readonly BackendTool[],
  ): Promise<number>;
  /** As the backend's; an abort ends it without an end event, after the step under way. */
  generate(generation: Generation, signal: AbortSignal): AsyncIterable<GenerationEvent>;
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
    batching: { itemPrioritizationStrategy: (queue) => batches.next(queue) },
  });
  const lanes = new Lanes(
    Array.from({ length: context.totalSequences }, (_, place) => new Lane(place, context.getSequence(), batches)),
  );
  const { bosString: bos, eosString: eos } = model.tokens;
  const render = promptRenderer(chatTemplate, { bos: bos ?? '', eos: eos ?? '' });

  const vocabulary = vocabularyOf(model);
  const prompts = new Prompts(model, render, vocabulary, context.contextSize);

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
    longestToken: vocabulary.longestToken,
    countPrompt: async (messages, signal, tools = []) => (await prompts.tokens(messages, tools, signal)).length,
    async *generate(generation, signal) {
      const prompt = await prompts.tokens(generation.messages, generation.tools ?? [], signal);
      const grammar = generation.forced && (await grammarOf(llama, generation.forced, tiny));
      const exact = isReproducible(generation);
      const lane = await lanes.borrow(prompt, exact, signal);
      if (lane === undefined) return;
      try {
        const read = await lane.read(prompt, exact, signal);
        if (read === undefined) return;
        const sampled: Token[] = [];
        const tokens = lane.sequence.evaluate(read.unread, {
          ...sampling(generation, sampled),
          ...(grammar && {
            grammarEvaluationState: new llamaCpp.LlamaGrammarEvaluationState({ model, grammar }),
          }),
          evaluationPriority: evaluationPriority(lane.place, !exact),
          yieldEogToken: true,
        });
        const take = (token: Token) =>
          sampled.push(token) < generation.maxTokens && !model.isEogToken(token) && !signal.aborted;
        const drawn = draw(tokens, { batches, shared: !exact, take });
        for await (const event of answer(model, generation, drawn, signal)) {
          yield event.type === 'end' ? { ...event, promptTokensRead: read.tokens } : event;
        }
      } finally {
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
  signal: AbortSignal,
): AsyncIterable<GenerationEvent> {
  const characters = characterReader<Token>((some, before) => model.detokenize(some, false, before));
  const stops = new StopScan(stop);
  let completionTokens = 0;
  for await (const token of tokens) {
    if (signal.aborted) return;
    completionTokens += 1;
    const ended = model.isEogToken(token);
    const over = ended || completionTokens === maxTokens;
    const passed = stops.add(characters.read(token) + (over ? characters.rest() : ''));
    const text = over && !passed.stopped ? passed.text + stops.rest() : passed.text;
    if (text !== '') yield { type: 'text', text };
    if (!over && !passed.stopped) continue;
    yield { type: 'end', finishReason: passed.stopped || ended ? 'stop' : 'length', completionTokens };
    return;
  }
  throw new Error('the model gave no next token');
}
