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

/** When the pieces of one streamed answer came, in milliseconds of one clock. */
export interface HeardAnswer {
  readonly pieces: number[];
  /** Whether it has come to its end, after which there is nothing to wait for. */
  isOver: boolean;
}

/**
 * The longest time for which streams stood still within a span: between two pieces of an answer, or since its last one where
 * no other has come. What came before the span begins with it, and what comes after ends with it. Undefined where no answer
 * was under way.
 */
export function longestStill(
  answers: readonly HeardAnswer[],
  { from, to }: { readonly from: number; readonly to: number },
): number | undefined {
  const stills = answers.flatMap(({ pieces, isOver }) => {
    const ends = isOver ? pieces.slice(1) : [...pieces.slice(1), to];
    return ends.map((end, place) => Math.min(end, to) - Math.max(pieces[place] ?? to, from));
  });
  const within = stills.filter((ms) => ms > 0);
  return within.length === 0 ? undefined : Math.max(...within);
}

/**
 * The largest gap of a stream, in milliseconds, while another client's prompt is read: also one that lasts to the end of it.
 * @param prompt must be another one each time, as the server would remember it
 */
export async function largestGap(server: ChatServer, prompt: string): Promise<number> {
  const over = new AbortController();
  const answers: HeardAnswer[] = [];
  let flowing = () => {};
  const flows = new Promise<void>((resolve) => {
    flowing = resolve;
  });
  const stream = async () => {
    while (!over.signal.aborted) {
      const answer: HeardAnswer = { pieces: [], isOver: false };
      answers.push(answer);
      const piece = () => {
        answer.pieces.push(performance.now());
        if (answer.pieces.length === 20) flowing();
      };
      const content = `${answers.length}: count from 1 to 2000 in words, one number a line. Do not stop early.`;
      const wish = { messages: [{ role: 'user', content }], maxTokens: 3000 };
      await streamChat(server, wish, piece, over.signal).catch((error) => {
        if (!over.signal.aborted) throw error;
      });
      answer.isOver = !over.signal.aborted;
    }
  };
  const streaming = stream();
  await Promise.race([flows, streaming]);
  const from = performance.now();
  await streamChat(server, { messages: [{ role: 'user', content: prompt }], maxTokens: 1 }, () => {});
  const still = longestStill(answers, { from, to: performance.now() });
  over.abort();
  await streaming;
  if (still === undefined) throw new Error('no stream was under way while the prompt was read');
  return still;
}
