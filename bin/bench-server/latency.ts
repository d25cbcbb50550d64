import { type ChatServer, hear, streamChat } from './chat-client.ts';

/** Makes prompts of about so many tokens, each of other words than those before. */
export type PromptMaker = (tokens: number) => string;

/** Learns from a server what words cost. */
export async function promptMaker(server: ChatServer): Promise<PromptMaker> {
  let drawn = 29;
  const word = () => {
    drawn = (Math.imul(drawn, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return words[(drawn >>> 8) % words.length];
  };
  const text = (count: number) => Array.from({ length: count }, word).join(' ');
  const cost = async (count: number) => {
    const messages = [{ role: 'user', content: text(count) }];
    return (await streamChat(server, { messages, maxTokens: 1 }, () => {})).prompt_tokens;
  };
  const [few, many] = [await cost(20), await cost(220)];
  const perWord = (many - few) / 200;
  const fixed = few - 20 * perWord;
  return (tokens) => text(Math.max(1, Math.round((tokens - fixed) / perWord)));
}

const words =
  'sea wind sail harbour night morning story captain island letter winter summer river stone garden window market bread silver lantern forest mountain journey song bridge tower clock mirror candle shadow'.split(
    ' ',
  );

/** Milliseconds to the first piece of the answer to each prompt, one after the other. */
export async function timesToFirst(server: ChatServer, prompts: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  for (const content of prompts) {
    times.push((await hear(server, { messages: [{ role: 'user', content }], maxTokens: 4 })).firstMs);
  }
  return times;
}

/** The largest gap of a stream, in milliseconds, while another client's prompt is read. */
export async function largestGap(server: ChatServer, prompt: string): Promise<number> {
  const over = new AbortController();
  const gaps: number[] = [];
  let pieces = 0;
  let reading = false;
  let flowing = () => {};
  const flows = new Promise<void>((resolve) => {
    flowing = resolve;
  });
  const stream = async () => {
    while (!over.signal.aborted) {
      let last: number | undefined;
      const piece = () => {
        const now = performance.now();
        if (reading && last !== undefined) gaps.push(now - last);
        last = now;
        pieces += 1;
        if (pieces === 20) flowing();
      };
      const messages = [{ role: 'user', content: `Tell me everything about the sea (${pieces}).` }];
      await streamChat(server, { messages, maxTokens: 1000 }, piece, over.signal).catch((error) => {
        if (!over.signal.aborted) throw error;
      });
    }
  };
  const streaming = stream();
  await Promise.race([flows, streaming]);
  reading = true;
  await streamChat(server, { messages: [{ role: 'user', content: prompt }], maxTokens: 1 }, () => {});
  reading = false;
  over.abort();
  await streaming;
  return Math.max(...gaps);
}
