import fc from 'fast-check';
import { createGeneratorSync, type JsonSchema } from 'json-schema-faker';
import { problemsOf, schemas } from '../../specs/validate.ts';

/** The body of a chat request as the schema has it, with references put in place. */
const chatRequest = inlined(schemas['chat-request']);

function inlined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inlined);
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value && typeof value.$ref === 'string') {
    const name = value.$ref.replace(/\.json$/, '');
    return inlined((schemas as Readonly<Record<string, unknown>>)[name]);
  }
  const members = Object.entries(value).filter(([key]) => key !== '$id' && key !== '$schema');
  return Object.fromEntries(members.map(([key, member]) => [key, inlined(member)]));
}

const samples = 800;

/** Bodies that the generator makes of the schema, a part of which is valid; they ask for the model that is served. */
function generatedBodies(model: string): readonly object[] {
  const { generate } = createGeneratorSync({ seed: 29 });
  return Array.from({ length: samples }, () => ({
    ...Object(generate(chatRequest as JsonSchema)),
    model,
    max_tokens: 8,
  }));
}

type Path = readonly string[];

/** Every place in a JSON value. */
function placesIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, part]) => placesIn(part, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.with(Number(key), replaced(value[Number(key)], rest, by));
  const members: Readonly<Record<string, unknown>> = Object(value);
  return { ...members, [key]: replaced(members[key], rest, by) };
}

/** Schemas in each other. */
function nested(levels: number): object {
  let schema: object = { type: 'object' };
  for (let level = 0; level < levels; level += 1) schema = { properties: { a: schema } };
  return schema;
}

/** Parameters at the edges of what reads a schema. */
const edgesOfParameters = fc.oneof(
  fc
    .constantFrom(
      ...['#', '#/', '#/%zz', '#/%E0%A4%A', '#/~', '#/properties/a', '#/__proto__', 'a', 'http://[', '', null, {}],
    )
    .map(($ref) => ({ properties: { a: { $ref } }, required: ['a'] })),
  fc.integer({ min: 1, max: 2_000 }).map(nested),
  fc.integer({ min: 1, max: 2_000 }).map((levels) => ({ default: nested(levels) })),
);

/** Chats whose parameters are at an edge, forced and free. */
function oddParameters(model: string): fc.Arbitrary<object> {
  return fc.tuple(edgesOfParameters, fc.constantFrom('auto', 'required')).map(([parameters, tool_choice]) => ({
    model,
    messages: [{ role: 'user', content: 'Hello' }],
    max_tokens: 8,
    tools: [{ type: 'function', function: { name: 'f', parameters } }],
    tool_choice,
  }));
}

/** Values at the edges of what parsers, validators and counters expect. */
const edges = fc.constantFrom<unknown>(
  ...[undefined, null, true, '', ' ', '\0', '\ud800', '💡'.repeat(50), 'a '.repeat(5000), 'constructor', '__proto__'],
  ...[0, -0, -1, 1e-320, 1.5, 2 ** 31, 2 ** 53, 1e308, [], {}, [[]], { toString: null }, { length: -1 }],
  ...['data:', 'data:image/png;base64,', 'data:image/png;base64,iVBORw0KGgo=', 'http://[', 'file:///', 'https://x:y@z'],
);

const anything = fc.oneof({ weight: 3, arbitrary: edges }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) });

/** A body with up to three of its parts replaced; `undefined` leaves a member out. */
function mutated(valid: fc.Arbitrary<object>): fc.Arbitrary<unknown> {
  const change = fc.tuple(fc.nat(), anything);
  return fc.tuple(valid, fc.array(change, { minLength: 1, maxLength: 3 })).map(([body, changes]) =>
    changes.reduce<unknown>((current, [place, by]) => {
      const places = placesIn(current);
      return replaced(current, places[place % places.length] ?? [], by);
    }, body),
  );
}

function deep(levels: number): string {
  return `${'[{"a":'.repeat(levels)}1${'}]'.repeat(levels)}`;
}

/** Bodies of chats, valid, nearly valid, and changed; with these members besides, which are changed, too. */
export function chatValues(model: string, members: object = {}): fc.Arbitrary<unknown> {
  const generated = generatedBodies(model).map((body) => ({ ...members, ...body }));
  const valid = fc.constantFrom(...generated.filter((body) => problemsOf('chat-request', body).length === 0));
  const nearlyValid = fc.constantFrom(...generated);
  return fc.oneof(
    { weight: 3, arbitrary: valid },
    { weight: 1, arbitrary: nearlyValid },
    { weight: 1, arbitrary: oddParameters(model).map((body) => ({ ...members, ...body })) },
    { weight: 4, arbitrary: mutated(valid) },
    { weight: 2, arbitrary: mutated(nearlyValid) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

/** Bytes of which up to three are gone, with up to four others in their place. */
export function damaged(whole: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(whole, fc.nat(), fc.nat({ max: 3 }), fc.uint8Array({ maxLength: 4 }))
    .map(([bytes, at, gone, added]) => {
      const place = at % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, place), added, bytes.subarray(place + gone)]);
    });
}

/** Bodies of chats as bytes: valid, nearly valid, any JSON, and what is no JSON. */
export function chatBodies(model: string): fc.Arbitrary<Buffer> {
  const json = chatValues(model).map((body) => Buffer.from(JSON.stringify(body) ?? ''));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data)),
    fc.integer({ min: 1, max: 20_000 }).map((levels) => Buffer.from(deep(levels))),
    fc.constantFrom('{"__proto__":null}', '\ufeff{}', '{"model":1e999}', 'NaN').map((text) => Buffer.from(text)),
  );
  return fc.oneof(
    { weight: 7, arbitrary: json },
    { weight: 2, arbitrary: damaged(json) },
    { weight: 1, arbitrary: bytes },
  );
}
