import { expect, test } from 'vitest';
import { readReply } from '../reply.ts';
import { isForPlaces, isForTokens } from './refusal.ts';

function refusal(error: object, headers: Readonly<Record<string, string>> = {}, status = 429) {
  return readReply({
    kind: 'exchange',
    probe: 'a test',
    step: 0,
    request: { method: 'POST', path: '/chat/completions', credential: 'key', headers: [] },
    sentAt: 0,
    sentTime: 1_700_000_000_000,
    headersAt: 1,
    endedAt: 1,
    response: {
      status,
      headers: [['content-type', 'application/json'], ...Object.entries(headers)],
      pieces: [{ at: 1, text: JSON.stringify({ error }) }],
    },
  });
}

const plain = { message: 'Too Many Requests', type: 'rate_limit_error', code: 'rate_limit_exceeded' };

test.each([
  ['its words', { message: 'the limit of 100000 tokens a day is reached' }, {}],
  ['its words', { message: 'Your daily quota is used up.' }, {}],
  ['its identifier', { ...plain, code: 'insufficient_quota' }, {}],
  ['its identifier', { ...plain, type: 'tokens_per_day_exceeded' }, {}],
  ['a header', plain, { 'X-RateLimit-Remaining-Tokens': '0' }],
  ['a header', plain, { 'x-ratelimit-tokens-remaining-day': '0' }],
  ['a long Retry-After', plain, { 'Retry-After': '3600' }],
])('a 429 is for tokens by %s', (_, error, headers) => {
  expect(isForTokens(refusal(error, headers))).toBe(true);
  expect(isForPlaces(refusal(error, headers))).toBe(false);
});

test.each([
  ['says nothing', plain, {}],
  ['names requests', { message: 'the limit of 100 requests a minute is reached' }, {}],
  ['names a quota of requests', { message: 'The request quota is exceeded' }, {}],
  ['names a quota of nothing', { ...plain, code: 'quota_exceeded' }, {}],
  ['names several limits', { message: '100 requests per minute and 100000 tokens per day are allowed' }, {}],
  ['says that tokens remain', plain, { 'X-RateLimit-Remaining-Tokens': '900' }],
  ['says to wait a minute', plain, { 'Retry-After': '60' }],
])('a 429 that %s is not known to be for tokens, nor for places', (_, error, headers) => {
  expect(isForTokens(refusal(error, headers))).toBe(false);
  expect(isForPlaces(refusal(error, headers))).toBe(false);
});

test.each([
  '5 concurrent requests are allowed',
  'too many requests run at the same time',
  'concurrency_limit',
  'concurrency_quota_exceeded',
])('a 429 is for places by the words "%s"', (message) => {
  expect(isForPlaces(refusal({ message }))).toBe(true);
  expect(isForTokens(refusal({ message }))).toBe(false);
});

test('another status is for neither', () => {
  const other = refusal({ message: 'no tokens are left at the same time' }, {}, 400);
  expect([isForTokens(other), isForPlaces(other)]).toEqual([false, false]);
});
