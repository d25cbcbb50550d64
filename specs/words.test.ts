import { expect, test } from 'vitest';
import { inWords, type Schema, show } from './words.ts';

const positive: Schema = { type: 'integer', minimum: 1 };

const sentences: readonly [Schema, string][] = [
  [{ const: 'chat.completion' }, '"chat.completion"'],
  [{ const: 0 }, '0'],
  [{ enum: ['stop', 'length'] }, 'one of "stop", "length"'],
  [{ type: 'string' }, 'a string'],
  [{ type: 'string', minLength: 1 }, 'a string that is not empty'],
  [{ type: 'string', pattern: '^1', description: 'a release of version 1' }, 'a release of version 1'],
  [{ type: 'string', pattern: '^1' }, 'a string that matches ^1'],
  [{ type: 'string', format: 'date' }, 'a date'],
  [{ type: 'boolean' }, 'a boolean'],
  [{ type: 'number' }, 'a number'],
  [{ type: 'number', minimum: -2, maximum: 2 }, 'a number from -2 to 2'],
  [{ type: 'integer', minimum: 0 }, 'an integer of at least 0'],
  [{ type: 'array' }, 'an array'],
  [{ type: 'array', minItems: 1 }, 'an array of at least 1 item'],
  [{ type: 'array', maxItems: 2 }, 'an array of at most 2 items'],
  [{ type: 'array', minItems: 1, maxItems: 1 }, 'an array of exactly 1 item'],
  [{ type: 'object' }, 'an object'],
  [{ type: 'object', required: ['url'] }, 'an object with url'],
  [{ type: 'object', required: ['a', 'b', 'c'] }, 'an object with a, b, and c'],
  [{ type: ['string', 'null'] }, 'a string or null'],
  [{ type: ['string', 'array', 'null'], minLength: 1 }, 'a string that is not empty, an array, or null'],
  [{ anyOf: [{ $ref: 'positive' }, { type: 'null' }] }, 'an integer of at least 1 or null'],
  [{}, 'a value'],
];

test.each(sentences)('%j is %s', (schema, words) => {
  expect(inWords(schema, () => positive)).toBe(words);
});

test.each([
  [undefined, 'absent'],
  [null, 'null'],
  ['a"b', '"a\\"b"'],
  [{ a: [1, true] }, '{"a":[1,true]}'],
  ['x'.repeat(198), `"${'x'.repeat(198)}"`],
  ['x'.repeat(199), `"${'x'.repeat(199)}… (201 characters)`],
])('%j is shown as %s', (value, text) => {
  expect(show(value)).toBe(text);
});
