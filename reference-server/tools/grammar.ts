import type { Shape, ShapeMember } from './shape.ts';

/** How long the parts of arguments may become where their schema sets no bound; absent means without one. */
export interface GrammarBounds {
  readonly text?: number;
  readonly items?: number;
}

/** A function that may be called, and the shape of its arguments. */
export interface Callable {
  readonly name: string;
  readonly shape: Shape;
}

const character = String.raw`[^"\\\x00-\x1F\x7F] | "\\" ["\\/bfnrt]`;

/**
 * A grammar in llama.cpp's GBNF for the text of one call: `{"name": "get_weather", "arguments": {…}}`. Whatever follows
 * it to its end is a call of one of the functions, with arguments of their shape.
 */
export function callGrammar(functions: readonly Callable[], bounds: GrammarBounds = {}): string {
  const rules: string[] = [`char ::= ${character}`];
  const define = (expression: string): string => {
    rules.push(`r${rules.length} ::= ${expression}`);
    return `r${rules.length - 1}`;
  };
  const value = (shape: Shape): string => {
    switch (shape.kind) {
      case 'values':
        return group(shape.values.map((item) => literal(JSON.stringify(item))));
      case 'string':
        return `"\\"" char${times(shape.least, shape.most ?? bounds.text)} "\\""`;
      case 'integer':
        return group(integers(shape.least, shape.most));
      case 'number':
        return `"-"? ("0" | [1-9] [0-9]{0,14}) ("." [0-9]{1,6})?`;
      case 'array':
        return list(define(value(shape.items)), shape.least, shape.most ?? bounds.items);
      case 'object':
        return `"{" ${members(shape.members)} "}"`;
      case 'any-of':
        return group(shape.shapes.map(value));
    }
  };
  /** Members in their order, the optional ones present or not: one rule for what may follow a member, one for what may begin. */
  const members = (all: readonly ShapeMember[]): string => {
    let following = '""';
    let beginning = '""';
    for (const { name, required, shape } of all.toReversed()) {
      const member = define(`${literal(`${JSON.stringify(name)}: `)} (${value(shape)})`);
      const next = `", " ${member} ${following}`;
      const first = `${member} ${following}`;
      following = define(required ? next : `${next} | ${following}`);
      beginning = define(required ? first : `${first} | ${beginning}`);
    }
    return beginning;
  };
  const calls = functions.map(
    ({ name, shape }) => `${literal(`{"name": ${JSON.stringify(name)}, "arguments": `)} (${value(shape)}) "}"`,
  );
  return [`root ::= ${calls.join(' | ')}`, ...rules].join('\n');
}

/** Of the text of a literal JSON leaves only quotes and backslashes to escape, as GBNF does. */
function literal(text: string): string {
  return JSON.stringify(text);
}

function group(alternatives: readonly string[]): string {
  return `(${alternatives.join(' | ')})`;
}

function times(least: number, most: number | undefined): string {
  return `{${least},${most === undefined ? '' : Math.max(least, most)}}`;
}

function list(item: string, least: number, most: number | undefined): string {
  if (most === 0) return '"[]"';
  const rest = times(Math.max(0, least - 1), most === undefined ? undefined : most - 1);
  const some = `${item} (", " ${item})${rest}`;
  return least > 0 ? `"[" ${some} "]"` : `"[" (${some})? "]"`;
}

/** The whole numbers of a range, as alternatives. */
function integers(least: number, most: number): string[] {
  const negative = least < 0 ? natural(Math.max(1, -most), -least).map((digits) => `"-" ${digits}`) : [];
  return [...negative, ...(most >= 0 ? natural(Math.max(0, least), most) : [])];
}

function natural(least: number, most: number): string[] {
  const alternatives: string[] = [];
  for (let length = String(least).length; length <= String(most).length; length += 1) {
    const from = Math.max(least, length === 1 ? 0 : 10 ** (length - 1));
    const to = Math.min(most, 10 ** length - 1);
    alternatives.push(between(String(from), String(to)));
  }
  return alternatives;
}

/** The numbers from one to another with as many digits. */
function between(from: string, to: string): string {
  const [low = '', high = ''] = [from[0], to[0]];
  const [lows, highs] = [from.slice(1), to.slice(1)];
  const zeros = '0'.repeat(lows.length);
  const nines = '9'.repeat(lows.length);
  if (lows === zeros && highs === nines) return `[${low}-${high}]${lows === '' ? '' : ` [0-9]{${lows.length}}`}`;
  if (low === high) return `"${low}" ${between(lows, highs)}`;
  const inner =
    Number(high) - Number(low) > 1 ? [between(`${Number(low) + 1}${zeros}`, `${Number(high) - 1}${nines}`)] : [];
  return group([`"${low}" ${between(lows, nines)}`, ...inner, `"${high}" ${between(zeros, highs)}`]);
}
