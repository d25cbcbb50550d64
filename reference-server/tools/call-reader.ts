import { randomUUID } from 'node:crypto';
import { overlap } from '../backends/stop-scan.ts';
import { isObject } from '../change.ts';

/** A part of what a model says: text, or a call of a function in pieces. */
export type SpokenPart =
  | { readonly type: 'text'; readonly text: string }
  /** A call begins; `index` counts the calls of the answer. */
  | { readonly type: 'call'; readonly index: number; readonly id: string; readonly name: string }
  /** The next piece of the JSON text of a call's arguments, never empty. */
  | { readonly type: 'arguments'; readonly index: number; readonly text: string };

const opening = '<tool_call>';
const closing = '</tool_call>';

const head = /^\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\{)/;
/** No call has a longer beginning before its arguments. */
const longestHead = 1000;

/** The text in which a model calls a function, and in which it reads its own calls again. */
export function callText(name: string, argumentsText: string): string {
  return `{"name": ${JSON.stringify(name)}, "arguments": ${argumentsText}}`;
}

/** The same between the marks that set it apart from other text. */
export function markedCall(name: string, argumentsText: string): string {
  return `${opening}\n${callText(name, argumentsText)}\n${closing}`;
}

interface ReaderOptions {
  /** The functions that can be called; of any other a call is text. */
  readonly names: ReadonlySet<string>;
  /** The text is calls from its beginning, without marks. */
  readonly forced: boolean;
  /** Calls after this many are dropped. */
  readonly most: number;
}

type State = 'text' | 'head' | 'arguments' | 'tail';

/**
 * Reads calls out of a text that comes in pieces: those that stand between `<tool_call>` and `</tool_call>`, as many
 * models write them, or the whole text where a call was forced.
 */
export class CallReader {
  readonly #options: ReaderOptions;
  #state: State;
  #held = '';
  #calls = 0;
  #depth = 0;
  #inString = false;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#state = options.forced ? 'head' : 'text';
  }

  /** Calls that were begun. */
  get calls(): number {
    return this.#calls;
  }

  *read(text: string): Generator<SpokenPart> {
    this.#held += text;
    for (let before = Number.NaN; before !== this.#held.length; ) {
      before = this.#held.length;
      yield* this[this.#state]();
    }
  }

  /** What was held back, once nothing follows. */
  *end(): Generator<SpokenPart> {
    if (this.#options.forced || this.#held === '') return;
    if (this.#state === 'text') yield { type: 'text', text: this.#held };
    if (this.#state === 'head') yield { type: 'text', text: `${opening}${this.#held}` };
  }

  *text(): Generator<SpokenPart> {
    const start = this.#held.indexOf(opening);
    const end = start === -1 ? this.#held.length - overlap(this.#held, opening) : start;
    if (end > 0) yield { type: 'text', text: this.#held.slice(0, end) };
    this.#held = this.#held.slice(start === -1 ? end : end + opening.length);
    if (start !== -1) this.#state = 'head';
  }

  *head(): Generator<SpokenPart> {
    const found = head.exec(this.#held);
    const name = found?.[1] === undefined ? undefined : nameIn(found[1]);
    if (found && name !== undefined && this.#options.names.has(name)) {
      this.#held = this.#held.slice(found[0].length);
      this.#state = 'arguments';
      return yield* this.#begin(name);
    }
    if (this.#options.forced) return;
    const end = this.#held.indexOf(closing);
    if (end === -1 && this.#held.length < longestHead) return;
    yield* this.#wholeOr(end === -1 ? this.#held : this.#held.slice(0, end), end !== -1);
  }

  *arguments(): Generator<SpokenPart> {
    let end = 0;
    do {
      const character = this.#held[end];
      if (character === undefined) break;
      end += 1;
      if (this.#inString) {
        // A backslash and what it escapes must be seen together.
        if (character === '\\' && this.#held[end] === undefined) {
          end -= 1;
          break;
        }
        if (character === '\\') end += 1;
        this.#inString = character !== '"';
      } else if (character === '"') this.#inString = true;
      else if (character === '{' || character === '[') this.#depth += 1;
      else if (character === '}' || character === ']') this.#depth -= 1;
    } while (this.#depth > 0);
    const text = this.#held.slice(0, end);
    this.#held = this.#held.slice(end);
    if (text !== '' && this.#depth === 0) this.#state = 'tail';
    if (text !== '' && this.#calls <= this.#options.most) yield { type: 'arguments', index: this.#calls - 1, text };
  }

  // biome-ignore lint/correctness/useYield: every state is a generator
  *tail(): Generator<SpokenPart> {
    const { forced } = this.#options;
    const end = forced ? this.#held.indexOf('{') : this.#held.indexOf(closing);
    if (end === -1) return;
    this.#held = this.#held.slice(forced ? end : end + closing.length).trimStart();
    this.#state = forced ? 'head' : 'text';
  }

  *#begin(name: string): Generator<SpokenPart> {
    this.#calls += 1;
    if (this.#calls <= this.#options.most) {
      yield { type: 'call', index: this.#calls - 1, id: `call_${randomUUID().replaceAll('-', '')}`, name };
    }
  }

  /** A call whose members come in another order is known when it is whole. */
  *#wholeOr(text: string, closed: boolean): Generator<SpokenPart> {
    this.#held = this.#held.slice(text.length + (closed ? closing.length : 0));
    this.#state = 'text';
    const call = callIn(text);
    if (call === undefined || !this.#options.names.has(call.name)) {
      return yield { type: 'text', text: `${opening}${text}${closed ? closing : ''}` };
    }
    yield* this.#begin(call.name);
    if (this.#calls <= this.#options.most) {
      yield { type: 'arguments', index: this.#calls - 1, text: call.argumentsText };
    }
  }
}

function callIn(text: string): { readonly name: string; readonly argumentsText: string } | undefined {
  try {
    const call: unknown = JSON.parse(text);
    if (!isObject(call) || typeof call.name !== 'string') return undefined;
    const given = call.arguments ?? call.parameters ?? {};
    return { name: call.name, argumentsText: typeof given === 'string' ? given : JSON.stringify(given) };
  } catch {
    return undefined;
  }
}

function nameIn(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}
