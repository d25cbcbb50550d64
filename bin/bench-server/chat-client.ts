import { Agent, request } from 'undici';
import { timeLimit } from '../../reference-server/time-limit.ts';
import { promptOf, temperature, type Workload } from './workload.ts';

/** What is to be measured cannot be had, or does not answer; the message says why. */
export class SubjectProblem extends Error {}

/** A server with the chat API. */
export interface ChatServer {
  /** With its `/v1`. */
  readonly url: string;
  readonly key: string;
  readonly model: string;
}

export interface ChatWish {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly maxTokens: number;
  readonly seed?: number;
}

export interface ChatUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

const dispatcher = new Agent({ connections: 64 });

/**
 * Streams one chat.
 * @param onPiece called with the event of each piece of text as it arrives
 * @throws the abort's error where the signal ends it
 */
export async function streamChat(
  { url, key, model }: ChatServer,
  { messages, maxTokens, seed }: ChatWish,
  onPiece: (event: string) => void,
  signal?: AbortSignal,
): Promise<ChatUsage> {
  const { statusCode, body } = await request(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({
      ...{ model, messages, max_tokens: maxTokens, temperature, seed },
      stream: true,
      stream_options: { include_usage: true },
    }),
    dispatcher,
    ...(signal && { signal }),
  });
  if (statusCode !== 200) throw new SubjectProblem(`the server answered ${statusCode}: ${await body.text()}`);
  let rest = '';
  let usage: ChatUsage | undefined;
  body.setEncoding('utf8');
  for await (const chunk of body) {
    const events = (rest + chunk).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      // To parse every piece would take from the machine what the server needs.
      if (event.includes('"content":"')) onPiece(event);
      else if (event.includes('"usage":{')) usage = dataOf(event).usage;
    }
  }
  if (usage === undefined) throw new Error('the server reported no usage');
  return usage;
}

/** Tokens that a server makes for a workload. */
export async function tokensOf(server: ChatServer, workload: Workload): Promise<number> {
  const deadline = performance.now() + workload.durationMs;
  const { signal, end } = timeLimit(workload.durationMs, new AbortController().signal);
  let tokens = 0;
  const keepBusy = async (stream: number) => {
    for (let turn = 0; performance.now() < deadline; turn += 1) {
      const messages = [{ role: 'user', content: promptOf(stream, turn) }];
      let pieces = 0;
      try {
        const count = () => {
          pieces += 1;
        };
        const { completion_tokens } = await streamChat(server, { messages, ...workload }, count, signal);
        tokens += completion_tokens;
      } catch (error) {
        if (!signal.aborted) throw error;
        tokens += pieces;
      }
    }
  };
  await Promise.all(Array.from({ length: workload.streams }, (_, stream) => keepBusy(stream)));
  end();
  return tokens;
}

export interface Heard {
  /** From the request to the first piece of text, in milliseconds. */
  readonly firstMs: number;
  readonly text: string;
}

/** Streams one chat to its end. */
export async function hear(server: ChatServer, wish: ChatWish): Promise<Heard> {
  const begun = performance.now();
  let firstMs = Number.NaN;
  let text = '';
  await streamChat(server, wish, (event) => {
    if (Number.isNaN(firstMs)) firstMs = performance.now() - begun;
    text += dataOf(event).choices[0]?.delta.content ?? '';
  });
  return { firstMs, text };
}

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
  readonly usage: ChatUsage;
}

function dataOf(event: string): Chunk {
  return JSON.parse(event.slice('data:'.length));
}

/** The first model that a server lists. */
export async function modelOf(url: string, key: string): Promise<ChatServer> {
  const { body } = await request(`${url}/models`, { headers: { authorization: `Bearer ${key}` }, dispatcher });
  const { data } = (await body.json()) as { data: readonly { id: string }[] };
  return { url, key, model: data[0]?.id ?? '' };
}
