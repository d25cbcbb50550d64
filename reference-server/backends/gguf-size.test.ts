import { expect, test } from 'vitest';
import { leastBytes } from './gguf-size.ts';

const plenty = 1_000_000;
const user = (content: string) => ({ role: 'user', content }) as const;

test('contents count in bytes, and each message for one more', () => {
  expect(leastBytes([user('é😀'), user('')], [], plenty)).toBe(6 + 1 + 1);
});

test('tools and calls count with the texts and names in them', () => {
  const without = leastBytes([user('')], [], plenty);
  const parameters = { type: 'object', properties: { city: { type: 'string', description: 'x'.repeat(500) } } };
  const tool = { name: 'book', description: 'y'.repeat(300), parameters };
  const more = leastBytes([user('')], [tool], plenty) - without;
  expect(more).toBeGreaterThan(800);
  expect(more).toBeLessThanOrEqual(JSON.stringify(tool).length);

  const call = (text: string) => [{ id: 'a', name: 'book', arguments: text }];
  const calling = (text: string) =>
    leastBytes([{ role: 'assistant', content: '', toolCalls: call(text) }], [], plenty) - without;
  expect(calling(JSON.stringify({ city: 'Oslo'.repeat(100) }))).toBeGreaterThan(400);
  expect(calling('no JSON'.repeat(100))).toBeGreaterThan(700);
  // As JSON it is written again, without what stood between.
  expect(calling(`{"city":${' '.repeat(10_000)}1}`)).toBeLessThan(50);
});

test('what is far too long is not looked at to its end, and what is deep is', () => {
  const endless = {
    name: 'list',
    parameters: {
      get enum(): unknown {
        throw new Error('it was looked at');
      },
    },
  };
  expect(leastBytes([user('x'.repeat(100))], [endless], 50)).toBeGreaterThan(50);
  let deep: Record<string, unknown> = {};
  for (let level = 0; level < 50_000; level += 1) deep = { a: deep };
  expect(leastBytes([user('')], [{ name: 'deep', parameters: deep }], plenty)).toBeGreaterThan(100_000);
});
