import type { BackendMessage, BackendTool, Generation, GenerationEvent, ServedModel } from './backend.ts';

/** Generations at the same time, unless it is said. */
export const defaultSequences = 8;

/** What a model can be computed on, as users name it. */
export const gpuNames = ['auto', 'cuda', 'vulkan', 'metal', 'false'] as const;
export type GpuName = (typeof gpuNames)[number];

export function gpuOf(name: GpuName): GgufOptions['gpu'] {
  return name === 'false' ? false : name;
}

/** How to load a model; the model's process gets it as its one argument, in JSON. */
export interface GgufOptions {
  readonly modelPath: string;
  /** The id to serve it under; by default the file's `general.name`. */
  readonly modelId?: string;
  readonly gpu: Exclude<GpuName, 'false'> | false;
  /** Tokens of context for each sequence; never more than the model was made for. By default what fits the memory. */
  readonly contextSize?: number;
  /** Generations at the same time; the others wait for their turn. {@link defaultSequences} by default. */
  readonly sequences?: number;
  /** Threads to compute with; by default 1 for a tiny model, else one less than there are cores. */
  readonly threads?: number;
  /** Milliseconds that the start may take; 10 minutes by default, since a large model is read for long. */
  readonly startLimitMs?: number;
}

/** What the server asks of the model's process; `abort` takes the id of the request that is no longer wanted. */
export type GgufRequest =
  | { readonly type: 'count'; readonly messages: readonly BackendMessage[]; readonly tools: readonly BackendTool[] }
  | { readonly type: 'generate'; readonly generation: Generation }
  | { readonly type: 'abort' };

/** A part of the answer to a request. Anything but a text is the last part. */
export type GgufEvent =
  | GenerationEvent
  | { readonly type: 'counted'; readonly tokens: number }
  | { readonly type: 'rejected'; readonly reason: string };

/** What the options came to on this machine: a process that is started with them is like the one that says so. */
export type GgufSettings = Required<Pick<GgufOptions, 'gpu' | 'contextSize' | 'sequences' | 'threads'>>;

export type GgufReply =
  /** The first message of a process is this or `failed`, all others are events. `longestToken` is in bytes. */
  | {
      readonly type: 'ready';
      readonly model: ServedModel;
      readonly settings: GgufSettings;
      readonly longestToken: number;
    }
  | { readonly type: 'failed'; readonly reason: string }
  /** What all requests got since the last message, in order. */
  | { readonly type: 'events'; readonly events: readonly (readonly [id: number, event: GgufEvent])[] };
