import { expect, test } from 'vitest';
import { mismatch, schemaProblem } from './json-schema.ts';

const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

test('a JSON Schema is one, whatever draft it names', () => {
  expect(schemaProblem(city)).toBeUndefined();
  expect(schemaProblem({ $schema: 'http://json-schema.org/draft-07/schema#', ...city })).toBeUndefined();
  expect(schemaProblem({})).toBeUndefined();
});

test.each([
  [{ type: 'text' }, '/type must be equal to one of the allowed values'],
  [{ properties: [] }, '/properties must be object'],
  [{ properties: { city: 'string' } }, '/properties/city must be object,boolean'],
  [{ required: 'city' }, '/required must be array'],
  ['object', 'it is not an object'],
  [JSON.parse(`${'{"not":'.repeat(900)}{}${'}'.repeat(900)}`), 'it is nested too deep'],
])('%o is no schema', (value, problem) => {
  expect(schemaProblem(value)).toContain(problem);
});

test('a value is held to a schema', () => {
  expect(mismatch(city, { city: 'Oslo' })).toBeUndefined();
  expect(mismatch(city, { city: 7 })).toBe('/city must be string');
  expect(mismatch(city, {})).toBe("must have required property 'city'");
});
