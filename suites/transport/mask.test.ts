import { describe, expect, test } from 'vitest';
import { bytesOf } from '../body.ts';
import { unknownKey } from './credentials.ts';
import { openMask, secretsIn } from './mask.ts';

const key = 'sk-a"b/c+d é 0123456789';
const mask = openMask([key]);
const body = (...pieces: readonly Buffer[]) =>
  mask.response({ status: 200, headers: [], pieces: pieces.map((bytes, at) => ({ at, bytes })) }).pieces;

describe('a secret', () => {
  test.each([
    ['plain', key],
    ['in JSON', JSON.stringify(key).slice(1, -1)],
    ['percent-encoded', encodeURIComponent(key)],
    ['in base64', Buffer.from(key).toString('base64')],
    ['in base64url', Buffer.from(key).toString('base64url')],
    ['as Basic credentials', Buffer.from(`${key}:`).toString('base64')],
  ])('%s is masked wherever it stands', (_name, form) => {
    expect(mask.text(`a ${form} b ${form}`)).toBe('a [masked] b [masked]');
    expect(body(Buffer.from(`a ${form} b ${form}`))).toEqual([{ at: 0, text: 'a [masked] b [masked]' }]);
  });

  test('is masked in the piece where it begins, at every split', () => {
    const bytes = Buffer.from(`data: ${key}${key}!`);
    for (let one = 0; one <= bytes.length; one += 1) {
      for (let two = one; two <= bytes.length; two += 3) {
        const pieces = body(bytes.subarray(0, one), bytes.subarray(one, two), bytes.subarray(two));
        expect(pieces.map(({ at }) => at)).toEqual([0, 1, 2]);
        expect(Buffer.concat(pieces.map(bytesOf)).toString()).toBe('data: [masked][masked]!');
      }
    }
  });

  test('that holds another one leaves nothing over', () => {
    const both = openMask(['sk-short-1', 'sk-short-1-and-longer']);
    expect(both.text('sk-short-1-and-longer, sk-short-1')).toBe('[masked], [masked]');
  });

  test('in the bytes of another text is left alone where it is none', () => {
    expect(mask.text('sk-a"b/c+d')).toBe('sk-a"b/c+d');
  });
});

describe('a short key', () => {
  const dummy = openMask(['model']);

  test('does not shred what is judged', () => {
    const bytes = Buffer.from('{"model":"m"}');
    expect(dummy.response({ status: 200, headers: [], pieces: [{ at: 0, bytes }] }).pieces).toEqual([
      { at: 0, text: '{"model":"m"}' },
    ]);
    expect(dummy.text('/models')).toBe('/models');
  });

  test('is masked in the header that carries it', () => {
    expect(dummy.requestHeaders([['authorization', 'Bearer model']])).toEqual([['authorization', 'Bearer [masked]']]);
  });
});

test('headers of a request are masked by their names', () => {
  const headers = mask.requestHeaders([
    ['authorization', `Bearer ${unknownKey}`],
    ['x-api-key', 'short'],
    ['cookie', 'a=b; c=d'],
    ['x-trace', `of ${key}`],
    ['accept', 'a/b'],
  ]);
  expect(headers.map(([, value]) => value)).toEqual([
    `Bearer ${unknownKey}`,
    '[masked]',
    '[masked]',
    'of [masked]',
    'a/b',
  ]);
});

test('the secrets of given headers are their values, with and without the scheme', () => {
  expect(secretsIn({ 'X-Authorization': 'Bearer abc', accept: 'a/b' })).toEqual(['Bearer abc', 'abc']);
});

test('bytes that are not UTF-8 stay exact around a mask', () => {
  const [piece] = body(Buffer.concat([Buffer.from([0xff]), Buffer.from(key), Buffer.from([0xfe])]));
  expect(piece && bytesOf(piece)).toEqual(
    Buffer.concat([Buffer.from([0xff]), Buffer.from('[masked]'), Buffer.from([0xfe])]),
  );
});
