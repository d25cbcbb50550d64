import { loadGgufBackend } from '../../reference-server/backends/gguf.ts';
import type { GgufOptions } from '../../reference-server/backends/gguf-protocol.ts';
import { keyOfTier } from '../../reference-server/keys/key-entries.ts';
import { startServer } from '../../reference-server/server.ts';
import { hear } from './chat-client.ts';
import type { PromptMaker } from './latency.ts';

/** A turn of a conversation. */
export interface Turn {
  /** Milliseconds to the first piece of text. */
  readonly firstMs: number;
  readonly promptTokens: number;
  /** Tokens of the prompt that were not remembered. */
  readonly readTokens: number;
}

/**
 * A follow-up of a conversation that the server knows, and one of the same length that it does not know. The server runs
 * in this process, as the tokens that a backend reads are nothing that an API tells.
 */
export async function measureReuse(options: GgufOptions, make: PromptMaker): Promise<{ known: Turn; unknown: Turn }> {
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
    const [opening, other] = [make(1000), make(1000)];
    const { text } = await hear(server, { messages: [{ role: 'user', content: opening }], maxTokens: 100 });
    const known = await turn(opening, text);
    return { known, unknown: await turn(other, text) };
  } finally {
    await close();
    await backend.close();
  }
}
