import { randomInt } from 'node:crypto';
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { LlamaModel, Token } from 'node-llama-cpp';
import packageJson from '../../package.json' with { type: 'json' };
import type { BackendMessage, Generation, GenerationEvent, ServedModel } from './backend.ts';
import { fastBatches, reproducibleBatches } from './gguf-batching.ts';
import { promptRenderer } from './gguf-prompt.ts';
import type { GgufOptions } from './gguf-protocol.ts';
import { Sequences } from './gguf-sequences.ts';
import { characterReader, stopFilter } from './gguf-text.ts';

/** A model in this process. */
export interface GgufModel {
  readonly served: ServedModel;
  countPrompt(messages: readonly BackendMessage[]): number;
  /** As the backend's `generate`; once `isAborted` says so it ends without an end event, after the step under way. */
  generate(generation: Generation, isAborted: () => boolean): AsyncIterable<GenerationEvent>;
}

/** Below this a second thread, or a wider batch, costs more than it gives. */
const tinyBytes = 64 * 2 ** 20;

/** Loads a model. @throws with what is wrong and what to do, but without the path. */
export async function loadModel(options: GgufOptions): Promise<GgufModel> {
  const file = await fileFacts(options.modelPath);
  const { getLlama, LlamaText, NoBinaryFoundError, SpecialTokensText } = await nodeLlamaCpp();
  const problems = new Set<string>();
  const explained = <Result>(step: Promise<Result>): Promise<Result> => {
    return step.catch(async (error: unknown) => {
      if (error instanceof NoBinaryFoundError) throw new Error(noBinary(options.gpu));
      // The log of native code arrives a little later.
      await setTimeout(50);
      throw new Error([error instanceof Error ? error.message : String(error), ...problems].join('; '));
    });
  };
  const tiny = file.bytes < tinyBytes;
  const threads = options.threads ?? (tiny ? 1 : Math.max(1, availableParallelism() - 1));
  const llama = await explained(
    getLlama({
      gpu: options.gpu,
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      maxThreads: threads,
      logger: (level, message) => {
        if (level === 'error' || level === 'fatal') problems.add(message.trim());
      },
    }),
  );
  const model = await explained(llama.loadModel({ modelPath: options.modelPath }));
  const { metadata } = model.fileInfo;
  const chatTemplate = metadata.tokenizer.chat_template;
  if (chatTemplate === undefined)
    throw new Error('it has no chat template (tokenizer.chat_template): take a chat model');

  const reproducible = tiny && llama.gpu === false;
  const context = await explained(
    model.createContext({
      sequences: options.sequences ?? 8,
      contextSize: options.contextSize === undefined ? 'auto' : Math.min(options.contextSize, model.trainContextSize),
      threads,
      // On a CPU it makes reading a prompt several times slower.
      flashAttention: llama.gpu !== false,
      batching: {
        itemPrioritizationStrategy: reproducible ? reproducibleBatches() : fastBatches(llama.gpu === false ? 32 : 256),
      },
    }),
  );
  const sequences = new Sequences(Array.from({ length: context.totalSequences }, () => context.getSequence()));
  const { bosString: bos, eosString: eos } = model.tokens;
  const render = promptRenderer(chatTemplate, { bos: bos ?? '', eos: eos ?? '' });

  const tokenize = (messages: readonly BackendMessage[]): Token[] => {
    const pieces = render(messages).map((piece, place) => (place % 2 === 0 ? new SpecialTokensText(piece) : piece));
    const tokens = LlamaText(pieces).tokenize(model.tokenizer);
    const { bos: first, shouldPrependBosToken } = model.tokens;
    return shouldPrependBosToken && first !== null && tokens[0] !== first ? [first, ...tokens] : tokens;
  };

  return {
    served: {
      id:
        options.modelId ??
        metadata.general.name?.trim().replaceAll(/\s+/g, '-') ??
        basename(options.modelPath, '.gguf'),
      created: file.modified,
      contextWindow: context.contextSize,
    },
    countPrompt: (messages) => tokenize(messages).length,
    async *generate(generation, isAborted) {
      const prompt = tokenize(generation.messages);
      const sequence = await sequences.borrow(prompt);
      try {
        if (isAborted()) return;
        // What a sequence remembers was computed in other steps than a prompt read afresh, and may differ in a last bit.
        if (reproducible) await sequence.clearHistory();
        else await sequence.adaptStateToTokens(prompt.slice(0, -1), false);
        const sampled: Token[] = [];
        const unread = prompt.slice(sequence.nextTokenIndex);
        const tokens = sequence.evaluate(unread, { ...sampling(generation, sampled), yieldEogToken: true });
        yield* answer(model, generation, tokens, sampled, isAborted);
      } finally {
        sequences.giveBack(sequence);
      }
    },
  };
}

async function* answer(
  model: LlamaModel,
  { stop, maxTokens }: Generation,
  tokens: AsyncIterable<Token>,
  sampled: Token[],
  isAborted: () => boolean,
): AsyncIterable<GenerationEvent> {
  const characters = characterReader<Token>((some, before) => model.detokenize(some, false, before));
  const stops = stopFilter(stop);
  for await (const token of tokens) {
    if (isAborted()) return;
    sampled.push(token);
    const over = model.isEogToken(token) || sampled.length === maxTokens;
    const passed = stops.pass(characters.read(token) + (over ? characters.rest() : ''));
    const text = over && !passed.stopped ? passed.text + stops.rest() : passed.text;
    if (text !== '') yield { type: 'text', text };
    if (!over && !passed.stopped) continue;
    const finishReason = passed.stopped || model.isEogToken(token) ? 'stop' : 'length';
    yield { type: 'end', finishReason, completionTokens: sampled.length };
    return;
  }
  throw new Error('the model gave no next token');
}

function sampling(generation: Generation, sampled: Token[]) {
  const { temperature, topP, frequencyPenalty, presencePenalty, maxTokens } = generation;
  const penalties = { penalty: 1, frequencyPenalty, presencePenalty, maxPunishTokens: maxTokens };
  return {
    temperature,
    topP,
    topK: 0,
    // Seeds are 32 bits wide, and the largest of them means a random one.
    seed: generation.seed === undefined ? randomInt(0xffff_ffff) : (generation.seed >>> 0) % 0xffff_ffff,
    ...(frequencyPenalty !== 0 || presencePenalty !== 0
      ? { repeatPenalty: { ...penalties, punishTokens: () => sampled } }
      : {}),
  };
}

async function fileFacts(path: string): Promise<{ readonly bytes: number; readonly modified: number }> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`the file cannot be opened (${error.code})`);
  });
  try {
    const { size, mtimeMs } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (buffer.toString('latin1', 0, bytesRead) !== 'GGUF') throw new Error('it is not a GGUF file');
    return { bytes: size, modified: Math.floor(mtimeMs / 1000) };
  } finally {
    await file.close();
  }
}

function noBinary(gpu: GgufOptions['gpu']): string {
  const name = ['@node-llama-cpp/', process.platform, '-', process.arch, gpu ? `-${gpu}` : ''].join('');
  return `node-llama-cpp has no build for ${gpu || 'the CPU'} that works here: install ${name}, or take another --gpu`;
}

async function nodeLlamaCpp(): Promise<typeof import('node-llama-cpp')> {
  try {
    return await import('node-llama-cpp');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
    const wanted = `node-llama-cpp@${packageJson.peerDependencies['node-llama-cpp']}`;
    throw new Error(`node-llama-cpp is not installed: run npm install ${wanted}`);
  }
}
