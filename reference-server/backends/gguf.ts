import { setTimeout } from 'node:timers/promises';
import { type Backend, BackendUnavailable } from './backend.ts';
import { type GgufClient, startGguf } from './gguf-client.ts';
import type { GgufOptions } from './gguf-protocol.ts';

const shortestWaitMs = 100;
const longestWaitMs = 10_000;
/** A process that lived this long did not end because of its start. */
const steadyMs = 60_000;

/**
 * Loads a GGUF model with node-llama-cpp, in a process of its own: a crash of native code ends the generations under way
 * with BackendUnavailable, and the process is started again.
 * @throws GgufStartError when the model cannot be loaded the first time
 */
export async function loadGgufBackend(options: GgufOptions): Promise<Backend> {
  const closing = new AbortController();
  let client: GgufClient | undefined = await startGguf(options, closing.signal);
  const { model } = client;
  const running = (): GgufClient => {
    if (client === undefined) throw new BackendUnavailable('the model is starting again: try again in a moment');
    return client;
  };

  async function keepRunning(): Promise<void> {
    let waitMs = shortestWaitMs;
    while (!closing.signal.aborted) {
      const since = performance.now();
      await client?.ended;
      client = undefined;
      waitMs = performance.now() - since > steadyMs ? shortestWaitMs : Math.min(2 * waitMs, longestWaitMs);
      await setTimeout(waitMs, undefined, { signal: closing.signal }).catch(() => {});
      if (!closing.signal.aborted) client = await startGguf(options, closing.signal).catch(() => undefined);
    }
  }

  const ended = keepRunning();
  return {
    model,
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
