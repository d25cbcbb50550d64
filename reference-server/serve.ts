import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { type Backend, BackendUnavailable } from './backends/backend.ts';
import type { Behaviour } from './behaviour.ts';
import { BadKeys, type KeyEntry, keyOfTier, readKeyFile } from './keys/key-entries.ts';
import { BadStore, type LimitStore, memoryStore } from './limits/store.ts';
import { type RunningServer, startServer } from './server.ts';
import type { ToolRunner } from './tools/tool-runner.ts';
import { Undelivered } from './webhooks/courier.ts';
import { BadWebhook, parseWebhook, type WebhookTarget } from './webhooks/target.ts';

/** The options of `serve` as commander reads them. */
export interface ServeChoices {
  readonly host: string;
  readonly port: number;
  readonly keys?: string;
  readonly backend?: 'gguf' | 'scripted';
  readonly model?: string;
  readonly gpu?: 'auto' | 'cuda' | 'vulkan' | 'metal' | 'false';
  /** Tokens. */
  readonly contextSize?: number;
  /** Milliseconds. */
  readonly ttft?: number;
  readonly tokensPerSecond?: number;
  readonly vision?: boolean;
  readonly allowImageUrls?: boolean;
  readonly webhookUrl?: string;
  /** Runs calls of execute_code. */
  readonly tools?: boolean;
  /** Where tokens of the day are kept. */
  readonly state?: string;
  /** `redis://host:port` */
  readonly limitsStore?: string;
  /** Seconds. */
  readonly window?: number;
  readonly allowFaults?: boolean;
  readonly fault?: string;
  readonly dialect?: string;
}

/** The server cannot be started as asked; the message says what is wrong and what to do. */
export class ServeError extends Error {}

type Print = (line: string) => void;

const { resolve } = createRequire(import.meta.url);

/**
 * Serves until the process is interrupted, or the one that started it over a channel ends. Once requests are
 * answered, says so in a line, and over the channel as `{ type: 'ready', url }`.
 * @throws ServeError
 */
export async function serve(choices: ServeChoices, print: Print): Promise<void> {
  const behaviour = await behaviourOf(choices);
  const { keys, madeUp } = keysOf(choices);
  const tools = choices.tools ? await codeRunner() : undefined;
  const webhook = webhookOf(choices);
  const store = await openStore(choices, behaviour, print);
  const backend = await openBackend(choices, print).catch(async (error) => {
    await store.close();
    throw error;
  });
  try {
    if (choices.allowImageUrls && !backend.model.vision) {
      throw new ServeError('--allow-image-urls needs a model that sees: --backend scripted --vision');
    }
    const server = await listen(choices, { backend, store, keys, behaviour, tools, webhook, print });
    const interrupted = interruption();
    if (madeUp) print(`neither API_KEY nor --keys is given, so this server takes the key ${madeUp}`);
    print(`serving ${backend.model.id} on ${server.url}`);
    process.send?.({ type: 'ready', url: server.url });
    await interrupted;
    await server.close();
  } finally {
    await backend.close();
    await store.close();
  }
}

async function behaviourOf({ fault, dialect }: ServeChoices): Promise<Behaviour> {
  if (fault !== undefined) return named('fault', fault, (await import('./faults/index.ts')).faults);
  if (dialect !== undefined) return named('dialect', dialect, (await import('./dialects.ts')).dialects);
  return {};
}

async function codeRunner(): Promise<ToolRunner> {
  const { executeCode, MissingTool } = await import('./tools/execute-code.ts');
  try {
    return executeCode();
  } catch (error) {
    if (error instanceof MissingTool) throw new ServeError(`--tools: ${error.message}`);
    throw error;
  }
}

function named(
  kind: string,
  id: string,
  table: Readonly<Record<string, { readonly behaviour: Behaviour }>>,
): Behaviour {
  if (Object.hasOwn(table, id) && table[id]) return table[id].behaviour;
  throw new ServeError(`there is no ${kind} ${id}; the nearest is ${closest(id, Object.keys(table))}`);
}

/** The keys to accept. One that had to be made up comes apart, since its user must be told. */
function keysOf({ keys }: ServeChoices): { readonly keys: readonly KeyEntry[]; readonly madeUp?: string } {
  const { API_KEY } = process.env;
  try {
    if (keys !== undefined) return { keys: readKeyFile(keys) };
    if (API_KEY !== undefined && API_KEY !== '') return { keys: [keyOfTier(API_KEY, 'free')] };
  } catch (error) {
    if (error instanceof BadKeys) throw new ServeError(error.message);
    throw error;
  }
  const madeUp = `sk-${randomBytes(24).toString('hex')}`;
  return { keys: [keyOfTier(madeUp, 'free')], madeUp };
}

/** Where the limits are counted. @throws ServeError */
async function openStore(choices: ServeChoices, { windows }: Behaviour, print: Print): Promise<LimitStore> {
  const { state, limitsStore, window = 60 } = choices;
  try {
    if (limitsStore !== undefined) {
      const { openRedisStore } = await import('./limits/redis-store.ts');
      return await openRedisStore({ url: limitsStore, clock: Date.now, windowSeconds: window, warn: print });
    }
    const memory = memoryStore(Date.now, window, windows);
    if (state === undefined) return memory;
    const { openStateFile } = await import('./limits/state-file.ts');
    const file = await openStateFile(state, Date.now);
    return { ...memory, tokens: file.tokens, close: async () => file.close() };
  } catch (error) {
    throw error instanceof BadStore ? new ServeError(error.message) : error;
  }
}

/** The webhook of keys that have none of their own. */
function webhookOf({ webhookUrl }: ServeChoices): WebhookTarget | undefined {
  const { WEBHOOK_SECRET: secret } = process.env;
  if (webhookUrl === undefined) return undefined;
  try {
    return parseWebhook({ webhook_url: webhookUrl, secret: secret || undefined }, '--webhook-url and WEBHOOK_SECRET');
  } catch (error) {
    throw error instanceof BadWebhook ? new ServeError(error.message) : error;
  }
}

async function openBackend(choices: ServeChoices, print: Print): Promise<Backend> {
  const { backend = defaultBackend(print), contextSize, ttft, tokensPerSecond, model, gpu, vision } = choices;
  if (backend === 'scripted') {
    if (model !== undefined || gpu !== undefined) throw new ServeError('--model and --gpu need --backend gguf');
    const { scriptedBackend } = await import('./backends/scripted.ts');
    return scriptedBackend({
      ...(ttft !== undefined && { ttftMs: ttft }),
      ...(tokensPerSecond !== undefined && { tokensPerSecond }),
      ...(contextSize !== undefined && { contextWindow: contextSize }),
      ...(vision !== undefined && { vision }),
    });
  }
  if (ttft !== undefined || tokensPerSecond !== undefined) {
    throw new ServeError('--ttft and --tokens-per-second need --backend scripted');
  }
  if (vision !== undefined) throw new ServeError('--vision needs --backend scripted: no GGUF model here sees');
  const [{ loadGgufBackend }, { GgufStartError }] = await Promise.all([
    import('./backends/gguf.ts'),
    import('./backends/gguf-client.ts'),
  ]);
  try {
    return await loadGgufBackend({
      modelPath: model ?? shippedModel(),
      gpu: gpu === 'false' ? false : (gpu ?? 'auto'),
      ...(contextSize !== undefined && { contextSize }),
    });
  } catch (error) {
    if (!(error instanceof GgufStartError)) throw error;
    // Who names a model wants that one.
    throw new ServeError(model === undefined ? `${error.message}; or take --backend scripted` : error.message);
  }
}

function defaultBackend(print: Print): 'gguf' | 'scripted' {
  try {
    resolve('node-llama-cpp');
    return 'gguf';
  } catch {
    print('node-llama-cpp is not installed, so the text is scripted: npm install node-llama-cpp@3.21.1 brings models');
    return 'scripted';
  }
}

function shippedModel(): string {
  return join(dirname(resolve('stack29-conformance/package.json')), 'fixtures/model/stack29-tiny.gguf');
}

interface Parts {
  readonly backend: Backend;
  readonly keys: readonly KeyEntry[];
  readonly behaviour: Behaviour;
  readonly store: LimitStore;
  readonly tools: ToolRunner | undefined;
  readonly webhook: WebhookTarget | undefined;
  readonly print: Print;
}

async function listen(
  { host, port, allowImageUrls, allowFaults }: ServeChoices,
  { print, webhook, ...parts }: Parts,
): Promise<RunningServer> {
  const fetchImage = allowImageUrls ? (await import('./images/fetch-image.ts')).imageFetcher() : undefined;
  try {
    return await startServer({
      host,
      port,
      ...(allowFaults && { allowFaults }),
      ...parts,
      ...(fetchImage && { fetchImage }),
      ...(webhook && { webhook }),
      onFault: (error) => print(wordsOf(error)),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new ServeError(`cannot listen on ${host}, port ${port}: ${reason}; take another --host or --port`);
  }
}

/** A model or a webhook that is down is no bug, and every request until it is back tells of it. */
function wordsOf(error: unknown): string {
  if (error instanceof BackendUnavailable || error instanceof Undelivered) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function interruption(): Promise<void> {
  const events = ['SIGINT', 'SIGTERM', 'disconnect'] as const;
  await new Promise<void>((resolve) => {
    const end = () => {
      // A second signal is to end the process at once, and a listener would keep the channel open.
      for (const event of events) process.off(event, end);
      resolve();
    };
    for (const event of events) process.on(event, end);
  });
}
