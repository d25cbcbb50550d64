import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { BodyPiece } from '../specs/evidence.ts';
import { bytesOf, decodeBody } from './body.ts';

const piece = (bytes: Uint8Array): BodyPiece => ({ at: 0, base64: Buffer.from(bytes).toString('base64') });
const decode = (bytes: Uint8Array, coding?: string) => decodeBody([piece(bytes)], coding);
const text = '{"said":"héllo ✓ 🙂"}';

test('a character that is split over pieces is whole again', () => {
  const bytes = Buffer.from(text);
  for (let at = 0; at <= bytes.length; at += 1) {
    expect(decodeBody([piece(bytes.subarray(0, at)), piece(bytes.subarray(at))], undefined)).toEqual({ text });
  }
});

test('a piece gives back its exact bytes, as text and as base64', () => {
  expect(bytesOf({ at: 0, text: '\ufeffé' })).toEqual(Buffer.from([0xef, 0xbb, 0xbf, 0xc3, 0xa9]));
  expect(bytesOf(piece(Buffer.from([0, 255])))).toEqual(Buffer.from([0, 255]));
});

test('one byte order mark is dropped, and only at the start', () => {
  expect(decode(Buffer.from('\ufeff\ufeff{}\ufeff'))).toEqual({ text: '\ufeff{}\ufeff' });
});

test('no body is empty text', () => {
  expect(decodeBody([], 'gzip')).toEqual({ text: '' });
});

describe('compression', () => {
  test.each([
    ['gzip', gzipSync(text)],
    ['X-GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['identity', Buffer.from(text)],
  ])('%s is undone', (coding, bytes) => {
    expect(decode(bytes, coding)).toEqual({ text });
  });

  test.each([
    ['gzip', gzipSync(Buffer.alloc(17 * 2 ** 20))],
    ['deflate', deflateSync(Buffer.alloc(17 * 2 ** 20))],
    ['br', brotliCompressSync(Buffer.alloc(17 * 2 ** 20))],
  ])('a %s bomb is a problem', (coding, bytes) => {
    expect(decode(bytes, coding)).toEqual({
      text: '',
      problem: `the ${coding} body unpacks to more than 16777216 bytes`,
    });
  });

  test.each([
    ['cut', gzipSync(text).subarray(0, -9)],
    ['of another kind', Buffer.from(text)],
  ])('gzip data that is %s is a problem', (_name, bytes) => {
    expect(decode(bytes, 'gzip')).toEqual({ text: '', problem: 'the body is not valid gzip data' });
  });

  test('an unknown coding is a problem that names it', () => {
    expect(decode(Buffer.from(text), 'zstd').problem).toContain('"zstd"');
  });
});

describe('UTF-8', () => {
  test.each([
    ['a lone continuation', [0x61, 0x80, 0x62], 'at byte 1 (0x80)'],
    ['an overlong form', [0xc0, 0xaf], 'at byte 0 (0xc0)'],
    ['a surrogate', [0x61, 0xed, 0xa0, 0x80], 'at byte 2 (0xa0)'],
    ['a character that another byte interrupts', [0xe2, 0x9c, 0x22], 'at byte 2 (0x22)'],
    ['a byte past the last code point', [0xf5], 'at byte 0 (0xf5)'],
    ['an unfinished character at the end', [0x61, 0xe2, 0x9c], 'ends inside a character, after 3 bytes'],
  ])('%s is told with its place', (_name, bytes, place) => {
    const { problem, text: shown } = decode(Uint8Array.from(bytes));
    expect(problem).toContain(place);
    expect(shown).toContain('\ufffd');
  });

  test('the place is right anywhere in a long body', () => {
    const bytes = Buffer.alloc(100_000, 'é');
    for (const at of [0, 2, 777, 50_000, 99_998]) {
      const damaged = Buffer.from(bytes);
      damaged[at - (at % 2)] = 0xff;
      expect(decode(damaged).problem).toBe(`not valid UTF-8 at byte ${at - (at % 2)} (0xff)`);
    }
  });
});
