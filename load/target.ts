import { setMaxListeners } from 'node:events';
import { Agent, type Dispatcher, request } from 'undici';
import type { LoadWorkload } from '../specs/wire.ts';
import type { Endpoint, Wording } from './engine/job.ts';
import { randomFrom } from './engine/random.ts';
import { membersOf, promptCostOf, promptOf, trialWords } from './engine/wording.ts';
import { LoadProblem } from './problem.ts';

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  /** When its headers came, in epoch milliseconds. */
  readonly at: number;
}

/** A chat that was begun. */
export interface OpenStream {
  readonly status: number;
  /** Settles with the first piece, or the end; tells whether the answer has ended since. */
  readonly first: Promise<() => boolean>;
}

const timeoutMs = 60_000;

/** A plain client for what comes before a measurement, and for tiers. */
export class Contact {
  readonly #endpoint: Endpoint;
  readonly #agent: Agent;

  readonly #signal: AbortSignal;
  #spentTokens = 0;

  /** @param signal ends whatever is asked */
  constructor(endpoint: Endpoint, signal: AbortSignal) {
    this.#endpoint = endpoint;
    // Every request under way listens to it.
    setMaxListeners(0, signal);
    this.#signal = signal;
    const { ca, insecure } = endpoint;
    this.#agent = new Agent({ connect: { rejectUnauthorized: !insecure, ...(ca !== undefined && { ca }) } });
  }

  /** Tokens of all answers in one JSON body, as their usage reports them, and of what else was spent. */
  get spentTokens(): number {
    return this.#spentTokens;
  }

  /** Adds what the key spent elsewhere, over a socket. */
  spend(tokens: number): void {
    this.#spentTokens += tokens;
  }

  /** @throws LoadProblem where no answer comes */
  async ask(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    const response = await this.#send(method, path, this.#signal, timeoutMs, body);
    const at = Date.now();
    const text = await response.body.text().catch((error: unknown) => this.#fail(error, this.#signal));
    const answer = { status: response.statusCode, headers: response.headers, body: parse(text), at };
    const tokens: unknown = Object(Object(answer.body).usage).total_tokens;
    if (typeof tokens === 'number') this.#spentTokens += tokens;
    return answer;
  }

  /** Begins a chat, whose answer is read and thrown away until `leaving` ends it. @throws LoadProblem where no answer comes */
  async openStream(body: object, leaving: AbortSignal): Promise<OpenStream> {
    const response = await this.#send('POST', '/chat/completions', AbortSignal.any([this.#signal, leaving]), 0, body);
    const first = new Promise<() => boolean>((resolve) => {
      let ended = false;
      const end = () => {
        ended = true;
        resolve(() => ended);
      };
      response.body.on('data', () => resolve(() => ended));
      response.body.once('end', end).once('error', end).once('close', end);
    });
    return { status: response.statusCode, first };
  }

  async #send(
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    bodyTimeout: number,
    body?: object,
  ): Promise<Dispatcher.ResponseData> {
    const { url, key, headers } = this.#endpoint;
    try {
      return await request(`${url}${path}`, {
        method,
        dispatcher: this.#agent,
        headersTimeout: timeoutMs,
        bodyTimeout,
        headers: {
          ...(body && { 'content-type': 'application/json' }),
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
          ...headers,
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal,
      });
    } catch (error) {
      return this.#fail(error, signal);
    }
  }

  #fail(error: unknown, signal: AbortSignal): never {
    if (signal.aborted) throw error;
    throw new LoadProblem('unreachable', `${this.#endpoint.url} does not answer: ${wordsOf(error)}`);
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

/**
 * Finds out how to word the requests: the model, what a prompt costs, and whether streams report their usage. Takes at
 * most five requests, which no measurement contains.
 * @throws LoadProblem where the target does not answer as an API with a valid key does
 */
export async function learnWording(
  contact: Contact,
  workload: LoadWorkload,
  givenModel: string | undefined,
): Promise<Wording> {
  const model = givenModel ?? (await firstModel(contact));
  const random = randomFrom(29);
  const chat = async (words: number, members: object = {}) => {
    const messages = [{ role: 'user', content: promptOf(words, random) }] as const;
    const asked = membersOf({ model, workload }, { messages, maxTokens: 1 });
    return contact.ask('POST', '/chat/completions', { ...asked, ...members });
  };
  const costOf = async (words: number) => promptTokens(await checked(chat(words)));
  const promptCost = promptCostOf(await costOf(trialWords.short), await costOf(trialWords.long));
  let askUsage = (workload.transports.sse ?? 0) > 0;
  if (askUsage) {
    const { status } = await chat(trialWords.short, { stream: true, stream_options: { include_usage: true } });
    // The document does not list stream_options, so that a target may refuse them.
    askUsage = status === 200;
  }
  return { model, workload, askUsage, promptCost };
}

async function firstModel(contact: Contact): Promise<string> {
  const { body } = await checked(contact.ask('GET', '/models'));
  const id: unknown = Object(Object(body).data)[0]?.id;
  if (typeof id === 'string') return id;
  throw new LoadProblem('unreachable', 'GET /models lists no model: is this the API? If it is, give --model');
}

/** An answer with status 200. @throws LoadProblem that says what another status means */
async function checked(answering: Promise<Answer>): Promise<Answer> {
  const answer = await answering;
  switch (answer.status) {
    case 200:
      return answer;
    case 401:
    case 403:
      throw new LoadProblem('usage', `the target refuses the key (${answer.status}): give a valid one with --api-key`);
    case 404:
      throw new LoadProblem('usage', 'the target answers 404: does --url end in /v1, and does it know the --model?');
    case 429: {
      const wait = answer.headers['retry-after'];
      const hint = typeof wait === 'string' && /^\d+$/.test(wait) ? ` for ${wait} s` : '';
      throw new LoadProblem('usage', `the limit of the key is spent${hint} (429): wait, or give another key`);
    }
    default:
      throw new LoadProblem(
        'unreachable',
        `the target answers a plain chat with ${answer.status}: it cannot be measured`,
      );
  }
}

function promptTokens({ body }: Answer): number | undefined {
  const tokens: unknown = Object(Object(body).usage).prompt_tokens;
  return typeof tokens === 'number' ? tokens : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function wordsOf(error: unknown): string {
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown };
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND') return 'unknown host';
  return typeof message === 'string' && message !== '' ? message : String(code);
}
