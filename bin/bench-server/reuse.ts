import { loadGgufBackend } from '../../reference-server/backends/gguf.ts';
import type { GgufOptions } from '../../reference-server/backends/gguf-protocol.ts';
import { keyOfTier } from '../../reference-server/keys/key-entries.ts';
import { startServer } from '../../reference-server/server.ts';
import { hear } from './chat-client.ts';
import type { PromptMaker } from './latency.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** Turns of conversations that are alike. */
export interface Turns {
  /** Milliseconds to the first piece of text. */
  readonly firstMs: Spread;
  /** The median, as are the next ones. */
  readonly promptTokens: number;
  /** Tokens of the prompt that were not remembered. */
  readonly readTokens: number;
}

interface Turn {
  readonly firstMs: number;
  readonly promptTokens: number;
  readonly readTokens: number;
}

/**
 * Follow-ups of conversations that the server knows, and of as many of the same length that it does not know, by turns.
 * The server runs in this process, as the tokens that a backend reads are nothing that an API tells.
 */
export async function measureReuse(
  options: GgufOptions,
  make: PromptMaker,
  rounds: number,
): Promise<{ readonly known: Turns; readonly unknown: Turns }> {
  const backend = await loadGgufBackend(options);
  let readTokens = Number.NaN;
  let promptTokens = Number.NaN;
  const key = 'sk-bench-reuse';
  const watched: typeof backend = {
    ...backend,
    async countPrompt(...of) {
      promptTokens = await backend.countPrompt(...of);
      return promptTokens;
    },
    async *generate(...of) {
      for await (const event of backend.generate(...of)) {
        if (event.type === 'end') readTokens = event.promptTokensRead ?? Number.NaN;
        yield event;
      }
    },
  };
  const { url, close } = await startServer({ backend: watched, keys: [keyOfTier(key, 'pro')] });
  try {
    const server = { url, key, model: backend.model.id };
    const turn = async (opening: string, answer: string): Promise<Turn> => {
      const messages = [
        { role: 'user', content: opening },
        { role: 'assistant', content: answer },
        { role: 'user', content: 'And what came then?' },
      ];
      const { firstMs } = await hear(server, { messages, maxTokens: 8 });
      return { firstMs, promptTokens, readTokens };
    };
    const known: Turn[] = [];
    const unknown: Turn[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const [opening, other] = [make(1000), make(1000)];
      const { text } = await hear(server, { messages: [{ role: 'user', content: opening }], maxTokens: 100 });
      known.push(await turn(opening, text));
      unknown.push(await turn(other, text));
    }
    return { known: turnsOf(known), unknown: turnsOf(unknown) };
  } finally {
    await close();
    await backend.close();
  }
}

function turnsOf(turns: readonly Turn[]): Turns {
  return {
    firstMs: spreadOf(turns.map(({ firstMs }) => firstMs)),
    promptTokens: spreadOf(turns.map(({ promptTokens }) => promptTokens)).median,
    readTokens: spreadOf(turns.map(({ readTokens }) => readTokens)).median,
  };
}
