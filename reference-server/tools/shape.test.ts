import { getLlama, type Llama, LlamaLogLevel } from 'node-llama-cpp';
import { beforeAll, describe, expect, test } from 'vitest';
import { mismatch } from '../../specs/json-schema.ts';
import { example } from './example.ts';
import { callGrammar } from './grammar.ts';
import { argumentsShape, UnsupportedSchema } from './shape.ts';

const text = { type: 'string' };
const nested = { type: 'object', properties: { city: text, zip: { type: 'integer' } }, required: ['city'] };

const supported: Readonly<Record<string, object>> = {
  'nothing at all': {},
  'one text': { type: 'object', properties: { city: text }, required: ['city'] },
  'optional members': { type: 'object', properties: { a: text, b: text, c: text }, required: ['b'] },
  'a required member that is not described': { required: ['note'], properties: { a: text } },
  'bounded text': { properties: { a: { type: 'string', minLength: 30, maxLength: 40 } }, required: ['a'] },
  'short text': { properties: { a: { type: 'string', maxLength: 2 } }, required: ['a'] },
  numbers: {
    properties: {
      any: { type: 'number' },
      share: { type: 'number', minimum: 0, maximum: 1 },
      port: { type: 'integer', minimum: 1, maximum: 65_535 },
      offset: { type: 'integer', exclusiveMinimum: -3, exclusiveMaximum: -1 },
      deep: { type: 'integer', minimum: -120, maximum: 7 },
      count: { type: 'integer' },
    },
    required: ['any', 'share', 'port', 'offset', 'deep', 'count'],
  },
  values: {
    properties: {
      unit: { type: 'string', enum: ['c"', 'f\\', 'é\n'] },
      on: { type: 'boolean' },
      none: { type: 'null' },
    },
    required: ['unit', 'on', 'none'],
  },
  'one value': { properties: { code: { const: { deep: [1, 'x'] } } }, required: ['code'] },
  lists: {
    properties: {
      tags: { type: 'array', items: text, minItems: 2, maxItems: 3 },
      any: { type: 'array' },
      empty: { type: 'array', maxItems: 0 },
      single: { type: 'array', items: { type: 'integer' }, uniqueItems: true },
      rows: { type: 'array', items: nested },
    },
    required: ['tags', 'any', 'empty', 'single', 'rows'],
  },
  'nested objects': { properties: { place: nested }, required: ['place'] },
  references: {
    $defs: { place: nested, 'a/b': text },
    properties: { from: { $ref: '#/$defs/place' }, to: { $ref: '#/$defs/a~1b', description: 'where to' } },
    required: ['from', 'to'],
  },
  alternatives: {
    properties: {
      a: { anyOf: [text, { type: 'null' }], default: null },
      b: { oneOf: [{ type: 'integer' }, text] },
      c: { type: ['string', 'null'] },
      d: { allOf: [nested] },
    },
    required: ['a', 'b', 'c', 'd'],
  },
  'objects that differ': { anyOf: [nested, { type: 'object', properties: { id: text }, required: ['id'] }] },
};

const unsupported: Readonly<Record<string, object>> = {
  'parameters.properties.a.pattern': { properties: { a: { type: 'string', pattern: '^a' } } },
  'parameters.properties.a.multipleOf': { properties: { a: { type: 'integer', multipleOf: 3 } } },
  'parameters.properties.a.not': { properties: { a: { not: text } } },
  'parameters.properties.a.oneOf': { properties: { a: { oneOf: [text, text] } } },
  'parameters.properties.a.allOf': { properties: { a: { allOf: [text, text] } } },
  'parameters.properties.a.uniqueItems': { properties: { a: { type: 'array', uniqueItems: true, minItems: 2 } } },
  'parameters.properties.a has minLength beside $ref': {
    $defs: { a: text },
    properties: { a: { $ref: '#/$defs/a', minLength: 3 } },
  },
  'refers to itself': { properties: { a: { $ref: '#' } } },
  '#/%zz has an escape that is none': { properties: { a: { $ref: '#/%zz' } } },
  'there is nothing at #/$defs/b': { properties: { a: { $ref: '#/$defs/b' } } },
  'lies outside': { properties: { a: { $ref: 'https://example.org/schema.json' } } },
  'no whole number': { properties: { a: { type: 'number', minimum: 0.2, maximum: 0.8 } } },
  'at least 3 and at most 2': { properties: { a: { type: 'string', minLength: 3, maxLength: 2 } } },
  'allows no value': { properties: { a: false }, required: ['a'] },
  'something else than an object': { $defs: { a: text }, $ref: '#/$defs/a' },
  'holds no value of its type': { properties: { a: { type: 'integer', enum: ['a', 1.5] } } },
  'larger than this server takes': {
    properties: Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [at, text])),
  },
};

describe.each(Object.entries(supported))('%s', (_, schema) => {
  test('has examples that are valid', () => {
    for (const word of ['', 'a', 'amber'])
      expect(
        mismatch(
          schema,
          example(argumentsShape({ ...schema }), () => word),
        ),
      ).toBeUndefined();
  });
});

test.each(Object.entries(unsupported))('"%s" is why no value can be made', (reason, schema) => {
  expect(() => argumentsShape({ ...schema })).toThrow(UnsupportedSchema);
  expect(() => argumentsShape({ ...schema })).toThrow(reason);
});

describe('the grammar of llama.cpp', () => {
  let llama: Llama;
  beforeAll(async () => {
    llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, progressLogs: false });
  });

  test.each(Object.entries(supported))('takes that for %s', async (_, schema) => {
    const grammar = callGrammar([{ name: 'f', shape: argumentsShape({ ...schema }) }]);
    await expect(llama.createGrammar({ grammar })).resolves.toBeDefined();
  });
});

test('what is no grammar is not taken', async () => {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.disabled,
  });
  await expect(llama.createGrammar({ grammar: 'root ::= "a" (' })).rejects.toThrow();
});

test('a range of whole numbers is spelt out digit by digit', () => {
  const grammar = callGrammar([
    {
      name: 'f',
      shape: argumentsShape({ properties: { a: { type: 'integer', minimum: 8, maximum: 213 } }, required: ['a'] }),
    },
  ]);
  const digits = /": " \((.*)\)$/m.exec(grammar)?.[1] ?? '';
  const pattern = new RegExp(`^(${digits.replaceAll('"', '').replaceAll(' ', '')})$`);
  const taken = Array.from({ length: 1200 }, (_, number) => number).filter((number) => pattern.test(String(number)));
  expect([taken[0], taken.at(-1), taken.length]).toEqual([8, 213, 206]);
});
