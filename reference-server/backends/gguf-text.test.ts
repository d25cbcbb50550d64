import { describe, expect, test } from 'vitest';
import { characterReader } from './gguf-text.ts';

const decoder = (tokens: readonly (readonly number[])[]) => Buffer.from(tokens.flat()).toString('utf8');

function read(...tokens: number[][]): string[] {
  const reader = characterReader<readonly number[]>(decoder);
  return [...tokens.map((token) => reader.read(token)), reader.rest()];
}

describe('characters', () => {
  test('a character over four tokens comes whole with the last of them', () => {
    expect(read([0xf0], [0x9f], [0x98], [0x80], [0x61])).toEqual(['', '', '', '😀', 'a', '']);
  });

  test('a token that ends one character and begins another gives the first at once', () => {
    expect(read([0xe2, 0x82], [0xac, 0xe2], [0x82], [0xac])).toEqual(['', '€', '', '€', '']);
  });

  test('bytes that are no character become replacement characters and delay nothing for ever', () => {
    expect(read([0x80], [0x80], [0x61])).toEqual(['', '\uFFFD', '\uFFFDa', '']);
  });

  test('a character that is cut at the end is replaced', () => {
    expect(read([0x61], [0xe2], [0x82])).toEqual(['a', '', '', '\uFFFD']);
  });

  test('tokens are decoded after those before them', () => {
    const reader = characterReader<string>((tokens, before) => (before.length > 0 ? ' ' : '') + tokens.join(' '));
    expect(['one', 'two'].map((word) => reader.read(word)).join('')).toBe('one two');
  });
});
