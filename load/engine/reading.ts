import type { Flight } from './flight.ts';

/** What of an answer is not as it should be. */
type Fault =
  | 'event is not JSON'
  | 'error in the stream'
  | 'stream ended early'
  | 'body is not JSON'
  | 'body is no completion'
  | 'message is not JSON with a type'
  | 'error message';

/** How an answer ended, by what it says. */
type Reading = 'succeeded' | 'limited' | { readonly failed: Fault };

/** The members of an object of JSON; any of them may be of any type on a target that errs. */
type Members = Readonly<Record<string, unknown>>;

/** What the events of a stream tell: the one definition for every engine. */
export class StreamEvents {
  readonly #flight: Flight;
  #isDone = false;
  #problem: Fault | undefined;

  constructor(flight: Flight) {
    this.#flight = flight;
  }

  /** @param at when it came, where that is known */
  event(data: string, at: number | undefined): void {
    if (data === '[DONE]') {
      this.#isDone = true;
      return;
    }
    const chunk = parseObject(data);
    if (chunk === undefined) {
      this.#problem ??= 'event is not JSON';
      return;
    }
    if (chunk.error) this.#problem ??= 'error in the stream';
    if (chunk.usage) this.#flight.usage(chunk.usage);
    const { delta, finish_reason: finishReason } = firstChoice(chunk);
    const { content, tool_calls: calls } = Object(delta) as Members;
    if (isText(content) || (Array.isArray(calls) && calls.length > 0)) this.#flight.content(at);
    if (finishReason) this.#isDone = true;
  }

  /** The stream ended by itself. */
  ending(): Reading {
    if (this.#problem !== undefined) return { failed: this.#problem };
    return this.#isDone ? 'succeeded' : { failed: 'stream ended early' };
  }
}

/** Reads an answer in one JSON body. */
export function readCompletion(body: string, flight: Flight): Reading {
  const completion = parseObject(body);
  if (completion === undefined) return { failed: 'body is not JSON' };
  if (completion.usage) flight.usage(completion.usage);
  return firstChoice(completion).message ? 'succeeded' : { failed: 'body is no completion' };
}

/** Reads one message of a WebSocket; gives the ending where it ends the answer. @param at when it came */
export function readMessage(text: string, flight: Flight, at: number): Reading | undefined {
  const message = parseObject(text);
  switch (message?.type) {
    case undefined:
      return { failed: 'message is not JSON with a type' };
    case 'content':
      if (isText(message.content)) flight.content(at);
      return undefined;
    case 'tool_call':
      flight.content(at);
      return undefined;
    case 'done':
      if (message.usage) flight.usage(message.usage);
      return 'succeeded';
    case 'error':
      return message.code === 429 || message.code === 'rate_limit_exceeded' ? 'limited' : { failed: 'error message' };
    default:
      return undefined;
  }
}

/** `undefined` for what is no JSON object. */
export function parseObject(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? Object(value) : undefined;
  } catch {
    return undefined;
  }
}

function firstChoice({ choices }: Members): Members {
  return Object(Array.isArray(choices) ? choices[0] : undefined);
}

const isText = (value: unknown) => typeof value === 'string' && value !== '';
