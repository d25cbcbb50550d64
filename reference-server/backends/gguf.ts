import { setTimeout } from 'node:timers/promises';
import { type Backend, BackendUnavailable } from './backend.ts';
import { type GgufClient, startGguf } from './gguf-client.ts';
import type { GgufOptions } from './gguf-protocol.ts';

const shortestWaitMs = 100;
const longestWaitMs = 10_000;
/** A process that lived this long did not end because of its start. */
const steadyMs = 60_000;

export interface GgufHost {
  /** Ends a load that nobody waits for any more. */
  readonly signal?: AbortSignal;
  /** Told in words when the process ends by itself. */
  readonly tell?: (words: string) => void;
}

/**
 * Loads a GGUF model with node-llama-cpp, in a process of its own: a crash of native code ends the generations under way
 * with BackendUnavailable, and the process is started again.
 * @throws GgufStartError when the model cannot be loaded the first time
 */
export async function loadGgufBackend(
  options: GgufOptions,
  { signal, tell = () => {} }: GgufHost = {},
): Promise<Backend> {
  const closing = new AbortController();
  if (signal?.aborted) closing.abort();
  signal?.addEventListener('abort', () => closing.abort(), { once: true });
  let client: GgufClient | undefined = await startGguf(options, closing.signal);
  const { model } = client;
  let { startMs } = client;
  /** When a process that is gone is likely to be there again. */
  let backAt = 0;
  // What was left open is settled by the first process, so that the model that comes back is the one that is served.
  const settled = { ...options, ...client.settings, modelId: model.id };
  let restarts = 0;
  const backInMs = () => Math.max(0, backAt - performance.now());
  const running = (): GgufClient => {
    if (!client?.isRunning) throw new BackendUnavailable('the model is starting again', backInMs());
    return client;
  };

  async function keepRunning(): Promise<void> {
    let waitMs = shortestWaitMs;
    let failure = '';
    while (!closing.signal.aborted) {
      const since = performance.now();
      const end = client ? `ended (${await client.ended})` : `did not start again (${failure})`;
      client = undefined;
      waitMs = performance.now() - since > steadyMs ? shortestWaitMs : Math.min(2 * waitMs, longestWaitMs);
      if (closing.signal.aborted) return;
      backAt = performance.now() + waitMs + startMs;
      tell(`the process of the model ${end}: it is started again in ${waitMs / 1000} s`);
      await setTimeout(waitMs, undefined, { signal: closing.signal }).catch(() => {});
      if (closing.signal.aborted) return;
      restarts += 1;
      client = await startGguf(settled, closing.signal).catch((error: Error) => {
        failure = error.message;
        return undefined;
      });
      startMs = client?.startMs ?? startMs;
    }
  }

  const ended = keepRunning();
  return {
    model,
    get backInMs() {
      return client?.isRunning ? undefined : backInMs();
    },
    get restarts() {
      return restarts;
    },
    countPrompt: async (messages, signal, tools) => running().countPrompt(messages, signal, tools),
    async *generate(generation, signal) {
      if (!signal.aborted) yield* running().generate(generation, signal);
    },
    async close() {
      closing.abort();
      await ended;
    },
  };
}
