import { createHash, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { callText } from '../tools/call-reader.ts';
import { example } from '../tools/example.ts';
import { argumentsShape } from '../tools/shape.ts';
import type { Backend, BackendMessage, BackendTool, Generation, GenerationEvent, Image } from './backend.ts';
import { StopScan } from './stop-scan.ts';

export interface ScriptedOptions {
  /** Milliseconds from the request to the first token; default 0. */
  readonly ttftMs?: number;
  /** Pace of the tokens after the first; default 0: as fast as they are read. */
  readonly tokensPerSecond?: number;
  /** Tokens; default 4096. */
  readonly contextWindow?: number;
  /** Takes images, which change the text; default false. */
  readonly vision?: boolean;
}

const words = (
  'amber anchor autumn barley basket beacon birch bramble bridge candle canyon cedar clover cobalt copper cotton ' +
  'cricket delta ember falcon feather fern field garnet ginger glacier granite harbor hazel heron hollow indigo iron ' +
  'island ivory jasmine juniper kettle lagoon lantern larch lemon linen maple marble meadow mirror moss nettle north ' +
  'oak olive orchard otter paper pebble pepper pine plum pond quartz quill rain raven reed ridge river saffron salt ' +
  'sand shadow silver slate snow sparrow spruce stone summer thistle thunder timber valley velvet violet walnut water ' +
  'willow winter wren yarrow'
).split(' ');

/**
 * A backend without a model: text from a list of words that follows from the messages and the seed, and goes on until
 * `maxTokens` or a stop sequence. A token is a word; of a prompt, each message counts one token more for its role, and
 * an image as many as it would with the OpenAI API. It calls a function only when it is made to: the first of those it
 * may choose from, with arguments of the schema's kind.
 */
export function scriptedBackend(options: ScriptedOptions = {}): Backend {
  const { ttftMs = 0, tokensPerSecond = 0, contextWindow = 4096, vision = false } = options;
  const gapMs = tokensPerSecond > 0 ? 1000 / tokensPerSecond : 0;
  return {
    model: { id: 'stack29/scripted', created: 1_767_225_600, contextWindow, vision },
    countPrompt: async (messages, _, tools = []) =>
      messages.reduce((sum, message) => sum + countTokens(message), 0) +
      countWords(tools.map((tool) => JSON.stringify(tool, null, 1)).join('\n')),
    generate: (generation, signal) => {
      const due = pace(ttftMs, gapMs, signal);
      return generation.forced ? call(generation, generation.forced, due) : script(generation, due);
    },
    close: async () => {},
  };
}

function countTokens({ content, toolCalls = [], images = [] }: BackendMessage): number {
  const calls = toolCalls.map(({ name, arguments: text }) => callText(name, text));
  const words = countWords([content, ...calls].join(' '));
  return 1 + words + images.reduce((sum, image) => sum + imageTokens(image), 0);
}

function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

/** The image is made to fit a square of 2048 pixels and its short side 768; each tile of 512 begun counts. */
function imageTokens({ width, height, detail }: Image): number {
  if (detail === 'low') return 85;
  const fitting = Math.min(1, 2048 / Math.max(width, height));
  const scale = Math.min(fitting, 768 / Math.min(width, height));
  return 85 + 170 * Math.ceil((width * scale) / 512) * Math.ceil((height * scale) / 512);
}

/** Waits for the moment of a token; false once the generation is aborted. */
type Pace = (token: number) => Promise<boolean>;

function pace(ttftMs: number, gapMs: number, signal: AbortSignal): Pace {
  const start = performance.now();
  return async (token) => {
    const wait = start + ttftMs + token * gapMs - performance.now();
    if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => {});
    return !signal.aborted;
  };
}

async function* script(generation: Generation, due: Pace): AsyncGenerator<GenerationEvent> {
  const random = mulberry32(seedOf(generation));
  const scan = new StopScan(generation.stop);
  for (let token = 0; token < generation.maxTokens; token += 1) {
    if (!(await due(token))) return;
    const word = words[Math.floor(random() * words.length)];
    const { text, stopped } = scan.add(token === 0 ? `${word}` : ` ${word}`);
    if (text !== '') yield { type: 'text', text };
    if (stopped) return yield { type: 'end', finishReason: 'stop', completionTokens: token + 1 };
  }
  const rest = scan.rest();
  if (rest !== '') yield { type: 'text', text: rest };
  yield { type: 'end', finishReason: 'length', completionTokens: generation.maxTokens };
}

async function* call(
  generation: Generation,
  [tool]: readonly BackendTool[],
  due: Pace,
): AsyncGenerator<GenerationEvent> {
  const random = mulberry32(seedOf(generation));
  const word = () => words[Math.floor(random() * words.length)] ?? '';
  const given = tool && example(argumentsShape(tool.parameters), word);
  const pieces = tool ? (callText(tool.name, JSON.stringify(given)).match(/.{1,6}/gsu) ?? []) : [];
  let completionTokens = 0;
  for (const text of pieces.slice(0, generation.maxTokens)) {
    if (!(await due(completionTokens))) return;
    completionTokens += 1;
    yield { type: 'text', text };
  }
  const finishReason = completionTokens < pieces.length ? 'length' : 'stop';
  yield { type: 'end', finishReason, completionTokens };
}

/** At temperature 0 the messages alone decide. */
function seedOf({ messages, temperature, seed }: Generation): number {
  const chosen = temperature === 0 ? 0 : (seed ?? randomInt(2 ** 32));
  return createHash('sha256')
    .update(JSON.stringify([messages, chosen]))
    .digest()
    .readUInt32LE();
}

/** A small generator of numbers from 0 to 1 that is the same everywhere. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
