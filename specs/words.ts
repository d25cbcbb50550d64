/** The keywords that this project's schemas use to constrain a value, as far as words for them are needed. */
export interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema | boolean>>;
  readonly required?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

const either = new Intl.ListFormat('en', { type: 'disjunction' });
const all = new Intl.ListFormat('en', { type: 'conjunction' });

/**
 * What a schema asks for, in words for a person: `an integer of at least 0`, `one of "stop", "length"`. The
 * description of a schema with a pattern is read as such words, since a pattern has none of its own.
 * @param resolve gives the schema that a `$ref` stands for
 */
export function inWords(schema: Schema, resolve: (ref: string) => Schema): string {
  if (schema.$ref !== undefined) return inWords(resolve(schema.$ref), resolve);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`;
  if (schema.anyOf) return either.format(schema.anyOf.map((branch) => inWords(branch, resolve)));
  return either.format([schema.type ?? 'value'].flat().map((type) => typeInWords(type, schema)));
}

function typeInWords(type: string, schema: Schema): string {
  switch (type) {
    case 'string':
      if (schema.pattern !== undefined) return schema.description ?? `a string that matches ${schema.pattern}`;
      if (schema.format !== undefined) return `a ${schema.format}`;
      return schema.minLength === undefined ? 'a string' : 'a string that is not empty';
    case 'integer':
      return `an integer${range(schema.minimum, schema.maximum)}`;
    case 'array':
      return `an array${length(schema.minItems, schema.maxItems)}`;
    case 'object':
      return schema.required ? `an object with ${all.format(schema.required)}` : 'an object';
    case 'null':
      return 'null';
    default:
      return `a ${type}${range(schema.minimum, schema.maximum)}`;
  }
}

function range(minimum?: number, maximum?: number): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  return minimum === undefined ? '' : ` of at least ${minimum}`;
}

function length(minimum?: number, maximum?: number): string {
  if (minimum === undefined) return maximum === undefined ? '' : ` of at most ${items(maximum)}`;
  return minimum === maximum ? ` of exactly ${items(minimum)}` : ` of at least ${items(minimum)}`;
}

function items(count: number): string {
  return count === 1 ? '1 item' : `${count} items`;
}

const longest = 200;

/** A value of a JSON body as a finding shows it: its JSON, cut to 200 characters, or `absent`. */
export function show(value: unknown): string {
  if (value === undefined) return 'absent';
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch {
    return 'a value that is nested too deeply to be shown';
  }
  return text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text;
}
