import { expect, test } from 'vitest';
import { wrap } from './wrap.ts';

test.each([
  ['a short text stays', 'one two', ['one two']],
  ['an empty text is one empty line', '', ['']],
  ['a text breaks between words', 'one two three four', ['one two', 'three four']],
  ['a word that fills a line exactly keeps the space out', 'abcdefghij klm', ['abcdefghij', 'klm']],
  ['a long word is cut', 'abcdefghijklmno', ['abcdefghij', 'klmno']],
  ['a surrogate pair stays whole', 'abcdefghi😀', ['abcdefghi', '😀']],
])('%s', (_title, text, lines) => {
  expect(wrap(text, 10)).toEqual(lines);
});
