import { describe, expect, test } from 'vitest';
import type { BodyPiece } from '../specs/evidence.ts';
import { looksLikeEvents, parseEvents } from './events.ts';

const piece = (bytes: Uint8Array, at: number): BodyPiece => ({ at, base64: Buffer.from(bytes).toString('base64') });
const parse = (...texts: string[]) => parseEvents(texts.map((text, at) => ({ at, text })));
const data = (...texts: string[]) => parse(...texts).map((event) => event.data);

/** A stream with everything that the format allows, in one of its three line ends. */
const stream = (end: string) =>
  [
    '\ufeff: a comment',
    '',
    'data: {"say":"héllo ✓ 🙂"}',
    '',
    ':',
    'event: update',
    'id: 7',
    'retry: 1000',
    'data:no space',
    'data',
    'data:  two spaces',
    'unknown: field',
    '',
    'id: only',
    '',
    '',
    'data: [DONE]',
    '',
    '',
  ].join(end);

const expected = [
  { data: '{"say":"héllo ✓ 🙂"}' },
  { data: 'no space\n\n two spaces', event: 'update', id: '7' },
  { data: '[DONE]' },
];

describe.each([
  ['LF', '\n'],
  ['CRLF', '\r\n'],
  ['CR', '\r'],
])('a stream with %s as line end', (_name, end) => {
  const bytes = Buffer.from(stream(end));
  const withoutTimes = (pieces: readonly BodyPiece[]) => parseEvents(pieces).map(({ at: _at, ...event }) => event);

  test('reads the same at every split in two', () => {
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(withoutTimes([piece(bytes.subarray(0, at), 0), piece(bytes.subarray(at), 1)])).toEqual(expected);
    }
  });

  test('reads the same at every split in three', () => {
    for (let one = 0; one <= bytes.length; one += 5) {
      for (let two = one; two <= bytes.length; two += 1) {
        const pieces = [bytes.subarray(0, one), bytes.subarray(one, two), bytes.subarray(two)].map(piece);
        expect(withoutTimes(pieces)).toEqual(expected);
      }
    }
  });

  test('reads the same byte by byte', () => {
    expect(withoutTimes([...bytes].map((byte, at) => piece(Uint8Array.of(byte), at)))).toEqual(expected);
  });
});

test('an event has the time of the piece that completed it', () => {
  const events = parse('data: a\n\nda', 'ta: b', '\n', '\ndata: c\n\n');
  expect(events).toEqual([
    { data: 'a', at: 0 },
    { data: 'b', at: 3 },
    { data: 'c', at: 3 },
  ]);
});

describe('the end of a stream', () => {
  test.each(['data: a', 'data: a\n', 'data: a\r', 'data: a\r\n'])('%j leaves its event unterminated', (text) => {
    expect(parse(text)).toEqual([{ data: 'a', at: 0, unterminated: true }]);
  });

  test.each(['data: a\n\n', 'data: a\r\r', 'data: a\r\n\r\n', 'data: a\n\r', 'data: a\r\n\r'])(
    '%j is an end',
    (text) => {
      expect(parse(text)).toEqual([{ data: 'a', at: 0 }]);
    },
  );

  test.each(['', '\n', ': comment', 'id: 3', 'event: x\n'])('%j holds no event', (text) => {
    expect(parse(text)).toEqual([]);
  });
});

test('bytes that are not UTF-8 become replacement characters', () => {
  expect(parseEvents([piece(Buffer.from('data: a\xff\n\n', 'latin1'), 0)])).toEqual([{ data: 'a\ufffd', at: 0 }]);
});

test('a line of bare JSON is no event', () => {
  expect(data('{"object":"chat.completion.chunk"}\n\n')).toEqual([]);
});

describe('a body', () => {
  test.each(['data: {}', 'data:{}', ': ping', ':\n\n', '\n\nevent: a', 'id: 1', '\r\nretry: 5'])(
    '%j looks like events',
    (text) => {
      expect(looksLikeEvents(text)).toBe(true);
    },
  );

  test.each(['', '{"data": 1}', '[]', '<html>', 'error: no', ' data: x', 'database: x', 'data'])(
    '%j does not look like events',
    (text) => {
      expect(looksLikeEvents(text)).toBe(false);
    },
  );
});
