import { readFileSync } from 'node:fs';
import published from '@asyncapi/specs/schemas/3.0.0-without-$id.json' with { type: 'json' };
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { schemas } from './validate.ts';

const description: unknown = parse(readFileSync(new URL('asyncapi.yaml', import.meta.url), 'utf8'));

test('the description of the socket is AsyncAPI 3.0, by its published schema', () => {
  // The published schema names formats, and uses keywords, that Ajv leaves to its plugins.
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(published);
  expect([validate(description), validate.errors]).toEqual([true, null]);
  expect(validate({ ...Object(description), channels: { chat: { messages: 'start' } } })).toBe(false);
});

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to = '']) => to);
  const dangling = references.filter((to) => {
    const file = /^schemas\/(.+)\.json$/.exec(to)?.[1];
    if (file !== undefined) return !(file in schemas);
    const path = to.replace(/^#\//, '').split('/');
    return path.reduce((value: unknown, key) => Object(value)[key], description) === undefined;
  });
  expect([references.length > 20, dangling]).toEqual([true, []]);
});
