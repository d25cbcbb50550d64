import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import {
  type BackendMessage,
  type BackendTool,
  BackendUnavailable,
  type Generation,
  type GenerationEvent,
  type ServedModel,
} from './backend.ts';
import { Inbox } from './gguf-inbox.ts';
import type { GgufEvent, GgufOptions, GgufReply, GgufRequest, GgufSettings } from './gguf-protocol.ts';
import { leastBytes } from './gguf-size.ts';

/** The model cannot be loaded; the message says which file, why, and where possible what to do. */
export class GgufStartError extends Error {}

/**
 * Loads a model in a process of its own. The signal ends the process at any time.
 * @throws GgufStartError
 */
export async function startGguf(options: GgufOptions, signal: AbortSignal): Promise<GgufClient> {
  const child = fork(programPath(), [JSON.stringify(options)], {
    execArgv: [],
    // llama.cpp sorts its outputs when they are first read: two threads of the pool that sample at once mix them up.
    // A crash calls no debugger for a backtrace that nobody reads: it would keep the next process waiting.
    env: { ...process.env, UV_THREADPOOL_SIZE: '1', GGML_NO_BACKTRACE: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    signal,
    killSignal: 'SIGKILL',
  });
  const since = performance.now();
  const { startLimitMs = 600_000 } = options;
  const lastWords = listenTo(child);
  return new Promise((resolve, reject) => {
    const refuse = (reason: string): void => {
      clearTimeout(limit);
      child.kill('SIGKILL');
      reject(new GgufStartError(`cannot load the model ${options.modelPath}: ${reason}`));
    };
    const limit = setTimeout(() => refuse(`it was not loaded within ${startLimitMs / 1000} seconds`), startLimitMs);
    child.once('message', (reply: GgufReply) => {
      clearTimeout(limit);
      if (reply.type === 'ready') resolve(new GgufClient(child, reply, performance.now() - since));
      if (reply.type === 'failed') refuse(reply.reason);
    });
    child.on('error', (error) => refuse(error.message));
    child.once('close', (code, signalName) => {
      refuse(`llama.cpp ended its process (${wordsOfEnd(code, signalName)}): ${lastWords()}`);
    });
  });
}

function wordsOfEnd(code: number | null, signalName: string | null): string {
  return signalName ?? `exit code ${code}`;
}

/** What a process said last on its standard error. */
function listenTo({ stderr }: ChildProcess): () => string {
  let words = '';
  stderr?.on('data', (chunk: Buffer) => {
    words = `${words}${chunk}`.slice(-1000);
  });
  return () => words.trim();
}

function programPath(): string {
  try {
    return createRequire(import.meta.url).resolve('#gguf-process');
  } catch {
    throw new GgufStartError('the program that runs GGUF models is not built: run npm run build');
  }
}

/** A process with a loaded model. Its requests fail with BackendUnavailable when it ends. */
export class GgufClient {
  readonly model: ServedModel;
  /** What its options came to. */
  readonly settings: GgufSettings;
  /** Milliseconds that the start took, and another of the same model is likely to take. */
  readonly startMs: number;
  /** Settles when the process has ended, and says how, and what it said last. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #longestToken: number;
  readonly #inboxes = new Map<number, Inbox<GgufEvent>>();
  #lastId = 0;
  #lastCount: Promise<unknown> = Promise.resolve();
  #end: BackendUnavailable | undefined;

  constructor(
    child: ChildProcess,
    { model, settings, longestToken }: Extract<GgufReply, { type: 'ready' }>,
    startMs: number,
  ) {
    const lastWords = listenTo(child);
    this.#child = child;
    this.model = model;
    this.settings = settings;
    this.startMs = startMs;
    this.#longestToken = longestToken;
    child.on('message', (reply: GgufReply) => {
      if (reply.type === 'events') for (const [id, event] of reply.events) this.#inboxes.get(id)?.put(event);
    });
    child.once('exit', () => {
      this.#end = new BackendUnavailable('the process of the model has ended', startMs);
      for (const inbox of this.#inboxes.values()) inbox.close(this.#end);
    });
    this.ended = new Promise((resolve) => {
      // What it said comes to its end after the process.
      child.once('close', (code, signalName) => {
        const words = lastWords().replaceAll(/\s+/g, ' ');
        resolve(`${wordsOfEnd(code, signalName)}${words && `: ${words}`}`);
      });
    });
  }

  get isRunning(): boolean {
    return this.#end === undefined;
  }

  /** Prompts are counted one by one, so that nothing is done for a client that leaves while it waits. */
  async countPrompt(
    messages: readonly BackendMessage[],
    signal: AbortSignal,
    tools: readonly BackendTool[] = [],
  ): Promise<number> {
    // What cannot fit is not even sent.
    const { contextWindow } = this.model;
    const least = Math.ceil(leastBytes(messages, tools, contextWindow * this.#longestToken) / this.#longestToken);
    if (least > contextWindow) return least;
    const counted = this.#lastCount.then(() => (signal.aborted ? 0 : this.#count(messages, tools, signal)));
    this.#lastCount = counted.catch(() => {});
    return counted;
  }

  async #count(
    messages: readonly BackendMessage[],
    tools: readonly BackendTool[],
    signal: AbortSignal,
  ): Promise<number> {
    let tokens = 0;
    for await (const event of this.#ask({ type: 'count', messages, tools }, signal)) {
      if (event.type === 'counted') tokens = event.tokens;
    }
    return tokens;
  }

  async *generate(generation: Generation, signal: AbortSignal): AsyncGenerator<GenerationEvent, void> {
    for await (const event of this.#ask({ type: 'generate', generation }, signal)) {
      if (event.type !== 'counted') yield event;
    }
  }

  async *#ask(request: GgufRequest, signal: AbortSignal): AsyncGenerator<Exclude<GgufEvent, { type: 'rejected' }>> {
    if (this.#end) throw this.#end;
    this.#lastId += 1;
    const id = this.#lastId;
    const inbox = new Inbox<GgufEvent>();
    const stop = (): void => inbox.close();
    this.#inboxes.set(id, inbox);
    signal.addEventListener('abort', stop);
    this.#send(id, request);
    let isOver = false;
    try {
      for await (const event of inbox) {
        if (signal.aborted) return;
        isOver = event.type !== 'text';
        if (event.type === 'rejected') throw new Error(`the model cannot answer: ${event.reason}`);
        yield event;
        if (isOver) return;
      }
    } finally {
      this.#inboxes.delete(id);
      signal.removeEventListener('abort', stop);
      if (!isOver) this.#send(id, { type: 'abort' });
    }
  }

  #send(id: number, request: GgufRequest): void {
    // What cannot be sent fails with everything else when the process has ended.
    this.#child.send([id, request], () => {});
  }
}
