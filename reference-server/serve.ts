import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { closest } from 'fastest-levenshtein';
import packageJson from '../package.json' with { type: 'json' };
import type { Backend } from './backends/backend.ts';
import type { GgufHost } from './backends/gguf.ts';
import { defaultSequences, type GpuName, gpuOf } from './backends/gguf-protocol.ts';
import type { Behaviour } from './behaviour.ts';
import { wordsOfFault } from './failure.ts';
import { interruptions } from './interruptions.ts';
import { BadKeys, type KeyEntry, keyOfTier, readKeyFile } from './keys/key-entries.ts';
import { BadStore, type LimitStore, memoryStore } from './limits/store.ts';
import type { LogLevel } from './operation/log.ts';
import type { Metrics } from './operation/metrics.ts';
import { type RunningServer, type ServerOptions, startServer } from './server.ts';
import { timeLimit } from './time-limit.ts';
import type { ToolRunner } from './tools/tool-runner.ts';
import { BadWebhook, parseWebhook, type WebhookTarget } from './webhooks/target.ts';

/** The options of `serve` as commander reads them. */
export interface ServeChoices {
  readonly host: string;
  readonly port: number;
  readonly keys?: string;
  readonly backend?: 'gguf' | 'scripted';
  readonly model?: string;
  readonly gpu?: GpuName;
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
  /** Generations at the same time. */
  readonly parallel?: number;
  readonly queueSize?: number;
  /** Seconds. */
  readonly drainTimeout: number;
  /** Seconds. */
  readonly sendTimeout: number;
  readonly metricsListen?: { readonly host: string; readonly port: number };
  readonly logLevel?: LogLevel;
}

export interface ServeHost {
  /** Where lines for people and lines of the log go. */
  readonly stderr: { write(text: string): void };
  /** Where a key goes that was made up: never into a log. */
  readonly stdout: { write(text: string): void };
  /** Ends the process. */
  readonly exit: (code: number) => void;
}

/** Exit codes of `serve`, besides that of usage. */
const exitCodes = { ended: 0, cut: 3 } as const;

/** The server cannot be started as asked; the message says what is wrong and what to do. */
export class ServeError extends Error {}

type Say = (words: string, level?: LogLevel) => void;

const { resolve } = createRequire(import.meta.url);

/**
 * Serves until the process is interrupted, or the one that started it over a channel ends. Once requests are
 * answered, says so in a line, and over the channel as `{ type: 'ready', url }`. An interruption lets what is under way
 * come to its end; a second one ends the process at once.
 * @returns the exit code: 0, or 3 where answers were cut
 * @throws ServeError
 */
export async function serve(choices: ServeChoices, { stderr, stdout, exit }: ServeHost): Promise<number> {
  const { logLevel } = choices;
  const log = logLevel && (await import('./operation/log.ts')).createLog(logLevel, (line) => stderr.write(line));
  const say: Say = log?.say ?? ((words) => stderr.write(`${words}\n`));
  const behaviour = await behaviourOf(choices);
  const { keys, madeUp } = keysOf(choices);
  const tools = choices.tools ? await codeRunner() : undefined;
  const webhook = webhookOf(choices);
  const { kind, load, slots } = backendOf(choices, say);
  /** Undone in the other direction. */
  const undo: (() => void | Promise<void>)[] = [];
  try {
    const interruption = interruptions(exit);
    undo.push(interruption.end);
    const store = await openStore(choices, behaviour, say);
    undo.push(store.close);
    const metrics = await openMetrics(choices, undo);
    const loading = new AbortController();
    const backend = load({ signal: loading.signal, tell: (words) => say(words, 'warn') });
    undo.push(async () => {
      loading.abort();
      const loaded = await backend.catch(() => undefined);
      await loaded?.close();
    });
    const server = await listen(choices, {
      ...{ backend, slots, store, keys, behaviour, tools, webhook },
      watchers: [metrics?.watcher, log?.watcher].filter((watcher) => watcher !== undefined),
      onFault: log?.fault ?? ((error) => say(wordsOfFault(error))),
    });
    undo.push(server.close);
    metrics?.observe(server.state);
    if (kind === 'gguf') log?.say(`listening on ${server.url}, and loading the model`);
    await Promise.race([server.ready, interruption.asked]);
    if (server.state.phase === 'serving') {
      if (madeUp) tellKey(madeUp, log ? stdout : stderr);
      say(`serving ${(await backend).model.id} on ${server.url}`);
      process.send?.({ type: 'ready', url: server.url });
    }
    await interruption.asked;
    return await drain(server, choices.drainTimeout, interruption.alone, say);
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

function tellKey(key: string, stream: ServeHost['stdout']): void {
  stream.write(`neither API_KEY nor --keys is given, so this server takes the key ${key}\n`);
}

/** Lets what is under way come to its end. @param alone says that nobody is there any more who would wait for it */
async function drain(server: RunningServer, seconds: number, alone: AbortSignal, say: Say): Promise<number> {
  const { underWay } = server.state;
  if (underWay > 0 && !alone.aborted) {
    say(`ending: ${underWay} requests and sockets have ${seconds} s; a second signal ends them at once`);
  }
  const limit = timeLimit(seconds * 1000, alone);
  const left = await server.drain(limit.signal);
  limit.end();
  if (left === 0 || alone.aborted) return exitCodes.ended;
  say(`${left} requests and sockets were cut: --drain-timeout gives them more time`, 'warn');
  return exitCodes.cut;
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
async function openStore(choices: ServeChoices, { windows }: Behaviour, say: Say): Promise<LimitStore> {
  const { state, limitsStore, window = 60 } = choices;
  try {
    if (limitsStore !== undefined) {
      const { openRedisStore } = await import('./limits/redis-store.ts');
      return await openRedisStore({ url: limitsStore, clock: Date.now, windowSeconds: window, warn: say });
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

async function openMetrics({ metricsListen }: ServeChoices, undo: (() => void)[]): Promise<Metrics | undefined> {
  if (metricsListen === undefined) return undefined;
  const [{ createMetrics }, { listenForMetrics }] = await Promise.all([
    import('./operation/metrics.ts'),
    import('./operation/metrics-listener.ts'),
  ]);
  const metrics = createMetrics(packageJson.version);
  const listener = await listenForMetrics(metrics, metricsListen).catch((error) => {
    throw cannotListen(metricsListen, error, '--metrics-listen');
  });
  undo.push(listener.close);
  return metrics;
}

interface Text {
  readonly kind: 'gguf' | 'scripted';
  readonly load: (host: Required<GgufHost>) => Promise<Backend>;
  /** Generations at the same time; absent where there is no bound. */
  readonly slots?: number;
}

/** What makes the text. @throws ServeError where it cannot be as asked */
function backendOf(choices: ServeChoices, say: Say): Text {
  const { backend = defaultBackend(say), contextSize, ttft, tokensPerSecond, model, gpu, vision, parallel } = choices;
  if (backend === 'scripted') {
    if (model !== undefined || gpu !== undefined) throw new ServeError('--model and --gpu need --backend gguf');
    if (choices.allowImageUrls && !vision) throw new ServeError(needsEyes);
    if (choices.queueSize !== undefined && parallel === undefined) {
      throw new ServeError(
        '--queue-size needs --parallel with scripted text, none of which waits for another otherwise',
      );
    }
    const load = async () => {
      const { scriptedBackend } = await import('./backends/scripted.ts');
      return scriptedBackend({
        ...(ttft !== undefined && { ttftMs: ttft }),
        ...(tokensPerSecond !== undefined && { tokensPerSecond }),
        ...(contextSize !== undefined && { contextWindow: contextSize }),
        ...(vision !== undefined && { vision }),
      });
    };
    return { kind: 'scripted', load, ...(parallel !== undefined && { slots: parallel }) };
  }
  if (ttft !== undefined || tokensPerSecond !== undefined) {
    throw new ServeError('--ttft and --tokens-per-second need --backend scripted');
  }
  if (vision !== undefined) throw new ServeError('--vision needs --backend scripted: no GGUF model here sees');
  if (choices.allowImageUrls) throw new ServeError(needsEyes);
  const load = async (host: Required<GgufHost>) => {
    const [{ loadGgufBackend }, { GgufStartError }] = await Promise.all([
      import('./backends/gguf.ts'),
      import('./backends/gguf-client.ts'),
    ]);
    const options = {
      modelPath: model ?? shippedModel(),
      gpu: gpuOf(gpu ?? 'auto'),
      ...(contextSize !== undefined && { contextSize }),
      ...(parallel !== undefined && { sequences: parallel }),
    } as const;
    try {
      return await loadGgufBackend(options, host);
    } catch (error) {
      if (!(error instanceof GgufStartError)) throw error;
      // Who names a backend, a model, or what to compute on, wants that one.
      const anyWouldDo = choices.backend === undefined && model === undefined && gpu === undefined;
      throw new ServeError(anyWouldDo ? `${error.message}; or take --backend scripted` : error.message);
    }
  };
  return { kind: 'gguf', load, slots: parallel ?? defaultSequences };
}

const needsEyes = '--allow-image-urls needs a model that sees: --backend scripted --vision';

function defaultBackend(say: Say): 'gguf' | 'scripted' {
  try {
    resolve('node-llama-cpp');
    return 'gguf';
  } catch {
    say('node-llama-cpp is not installed, so the text is scripted: npm install node-llama-cpp@3.21.1 brings models');
    return 'scripted';
  }
}

function shippedModel(): string {
  return join(dirname(resolve('stack29-conformance/package.json')), 'fixtures/model/stack29-tiny.gguf');
}

type Parts = Required<Pick<ServerOptions, 'backend' | 'keys' | 'behaviour' | 'store' | 'watchers' | 'onFault'>> & {
  readonly slots: number | undefined;
  readonly tools: ToolRunner | undefined;
  readonly webhook: WebhookTarget | undefined;
};

async function listen(choices: ServeChoices, { slots, webhook, ...parts }: Parts): Promise<RunningServer> {
  const { host, port, allowImageUrls, allowFaults, queueSize, sendTimeout } = choices;
  const fetchImage = allowImageUrls ? (await import('./images/fetch-image.ts')).imageFetcher() : undefined;
  try {
    return await startServer({
      host,
      port,
      sendTimeoutMs: sendTimeout * 1000,
      ...(allowFaults && { allowFaults }),
      ...(slots !== undefined && { slots }),
      ...(queueSize !== undefined && { queueSize }),
      ...parts,
      ...(fetchImage && { fetchImage }),
      ...(webhook && { webhook }),
    });
  } catch (error) {
    throw cannotListen(choices, error, '--host or --port');
  }
}

function cannotListen(
  { host, port }: { readonly host: string; readonly port: number },
  error: unknown,
  options: string,
): ServeError {
  const reason = error instanceof Error ? error.message : error;
  return new ServeError(`cannot listen on ${host}, port ${port}: ${reason}; take another ${options}`);
}
