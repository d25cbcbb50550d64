import { describe, expect, test } from 'vitest';
import { baseUrlOf } from './base-url.ts';

describe('a base URL', () => {
  test.each([
    ['http://h/v1', 'http://h/v1'],
    ['http://h/v1/', 'http://h/v1'],
    ['HTTPS://Example.org:443/a/v1//', 'https://example.org/a/v1'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
  ])('%s is read as %s', (text, url) => {
    expect(baseUrlOf(text, 'url')).toBe(url);
  });

  test.each([
    ['localhost:3000/v1', 'try http://localhost:3000/v1'],
    ['h/v1', 'try http://h/v1'],
    ['ws://h/v1', 'neither http:// nor https://'],
    ['http://', 'not a URL'],
    ['http://h:99999/v1', 'not a URL'],
    ['http://h/v1?a=1', 'query'],
    ['http://h/v1#a', 'fragment'],
    ['http://h/v1/chat/completions/', 'try http://h/v1'],
  ])('%s is refused with the reason', (text, reason) => {
    expect(() => baseUrlOf(text, 'url')).toThrow(reason);
  });

  test('credentials in it are refused and not repeated', () => {
    expect(() => baseUrlOf('http://me:secret@h/v1', 'url')).toThrow(/^url holds credentials/);
  });
});
