import { StringDecoder } from 'node:string_decoder';
import { createParser, type EventSourceParser } from 'eventsource-parser';
import type { Ending, Flight } from '../flight.ts';

/** Reads the body of an answer as it arrives. */
export interface BodyReader {
  read(chunk: Buffer): void;
  /** The body ended by itself. */
  end(): Ending;
}

/** The members of a chunk or a completion that count; any of them may be of any type on a target that errs. */
interface ChatBody {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: unknown; readonly tool_calls?: readonly unknown[] } | null;
    readonly finish_reason?: unknown;
    readonly message?: unknown;
  }[];
  readonly usage?: { readonly prompt_tokens?: unknown; readonly completion_tokens?: unknown } | null;
  readonly error?: unknown;
}

/** Server-sent events. */
export class StreamReader implements BodyReader {
  readonly #flight: Flight;
  readonly #decoder = new StringDecoder('utf8');
  readonly #parser: EventSourceParser;
  /** When the bytes that are being read arrived. */
  #now = 0;
  #isDone = false;
  #problem: string | undefined;

  constructor(flight: Flight) {
    this.#flight = flight;
    this.#parser = createParser({ onEvent: ({ data }) => this.#event(data) });
  }

  read(chunk: Buffer): void {
    this.#now = performance.now();
    this.#parser.feed(this.#decoder.write(chunk));
  }

  end(): Ending {
    if (this.#problem !== undefined) return { failed: this.#problem };
    return this.#isDone ? 'succeeded' : { failed: 'stream ended early' };
  }

  #event(data: string): void {
    if (data === '[DONE]') {
      this.#isDone = true;
      return;
    }
    const chunk = parse(data);
    if (chunk === undefined) {
      this.#problem ??= 'event is not JSON';
      return;
    }
    if (chunk.error) this.#problem ??= 'error in the stream';
    if (chunk.usage) this.#flight.usage(chunk.usage);
    const choice = chunk.choices?.[0];
    if (choice === undefined) return;
    const { delta, finish_reason: finishReason } = choice;
    const content = delta?.content;
    if ((typeof content === 'string' && content !== '') || delta?.tool_calls?.length) this.#flight.content(this.#now);
    if (finishReason) this.#isDone = true;
  }
}

/** One JSON body. */
export class JsonReader implements BodyReader {
  readonly #flight: Flight;
  readonly #chunks: Buffer[] = [];

  constructor(flight: Flight) {
    this.#flight = flight;
  }

  read(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  end(): Ending {
    const [first] = this.#chunks;
    const bytes = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    const completion = parse(bytes.toString());
    if (completion === undefined) return { failed: 'body is not JSON' };
    if (completion.usage) this.#flight.usage(completion.usage);
    return completion.choices?.[0]?.message ? 'succeeded' : { failed: 'body is no completion' };
  }
}

/** `undefined` for what is no JSON object. */
function parse(text: string): ChatBody | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
