import packageJson from '../package.json' with { type: 'json' };
import { wordsOfFault } from './failure.ts';
import { interruptions } from './interruptions.ts';
import type { Metrics } from './operation/metrics.ts';
import { type Say, type ServeChoices, ServeError } from './serve-choices.ts';
import { behaviourOf, codeRunner, keysOf, openStore, webhookOf } from './serve-parts.ts';
import { textOf } from './serve-text.ts';
import { type RunningServer, type ServerOptions, startServer } from './server.ts';
import { timeLimit } from './time-limit.ts';
import type { ToolRunner } from './tools/tool-runner.ts';
import type { WebhookTarget } from './webhooks/target.ts';

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
  const { kind, load, slots } = textOf(choices, say);
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
