import { expect, test } from 'vitest';
import { changed } from './change.ts';

const body = { id: 'a', choices: [{ index: 0, delta: { content: 'hi' } }] };

test.each<[pointer: string, to: unknown, expected: unknown]>([
  ['/id', 'b', { ...body, id: 'b' }],
  ['/id', undefined, { choices: body.choices }],
  ['/usage', null, { ...body, usage: null }],
  ['/id', (id: string) => `${id}!`, { ...body, id: 'a!' }],
  ['/choices/0/delta/content', undefined, { id: 'a', choices: [{ index: 0, delta: {} }] }],
  ['/choices/0/index', 1, { id: 'a', choices: [{ index: 1, delta: { content: 'hi' } }] }],
  ['/choices/1/index', 1, body],
  ['/usage/total', 1, body],
  ['', [], []],
])('%s', (pointer, to, expected) => {
  const before = structuredClone(body);
  expect(changed(body, pointer, to)).toEqual(expected);
  expect(body).toEqual(before);
});
