import { expect, test } from 'vitest';
import { StopScan } from './stop-scan.ts';

function scan(stops: readonly string[], pieces: readonly string[]): readonly [text: string, stopped: boolean] {
  const scanner = new StopScan(stops);
  let text = '';
  for (const piece of pieces) {
    const scanned = scanner.add(piece);
    text += scanned.text;
    if (scanned.stopped) return [text, true];
  }
  return [text + scanner.rest(), false];
}

test.each<[stops: string[], pieces: string[], text: string, stopped: boolean]>([
  [[], ['one', ' two'], 'one two', false],
  [['two'], ['one', ' two'], 'one ', true],
  [['e t'], ['one', ' two'], 'on', true],
  [['e tx'], ['one', ' two'], 'one two', false],
  [['aab'], ['a', 'a', 'a', 'b'], 'a', true],
  [['later', 'wo'], ['one', ' two'], 'one t', true],
  [['three', 'two'], ['one two three'], 'one ', true],
  [['two'], ['one tw'], 'one tw', false],
  [['END'], ['aE', 'x', 'EN'], 'aExEN', false],
  [['END'], ['aE', 'N', 'Db'], 'a', true],
])('stops %j in %j give %j', (stops, pieces, text, stopped) => {
  expect(scan(stops, pieces)).toEqual([text, stopped]);
});

test('a beginning is held back only until it comes to nothing', () => {
  const scanner = new StopScan(['END']);
  expect(['aE', 'x', 'EN'].map((piece) => scanner.add(piece).text)).toEqual(['a', 'Ex', '']);
});

test('what cannot begin a stop sequence is not held back', () => {
  expect(new StopScan(['xyz']).add('one x')).toEqual({ text: 'one ', stopped: false });
});
