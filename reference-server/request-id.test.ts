import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { keyOfTier } from './keys/key-entries.ts';
import { Keyring } from './keys/keyring.ts';
import { requestId } from './request-id.ts';
import { key, plainChat, startRig } from './test-rig.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const own = 'a-key-that-looks-like-none';
const keyring = new Keyring([keyOfTier(key, 'free'), keyOfTier(own, 'pro')]);

describe('the id of a request', () => {
  test.each(['29', 'a'.repeat(128), 'web-1/edge:4f.Zz_=+', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'])(
    'is the one that it came with: %s',
    (given) => {
      expect(requestId({ 'x-request-id': given }, keyring)).toBe(given);
    },
  );

  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['one that is too long', 'a'.repeat(129)],
    ['one of several words', 'one two'],
    ['one that would break a line', 'a\r\nSet-Cookie: b'],
    ['one that would break a JSON line', 'a"b'],
    ['two', 'a, b'],
    ['one with other letters', 'über'],
    ['a key of this server', own],
    ['a key of this server within', `trace/${own}/29`],
    ['a key of somebody', 'sk-proj-abcdefgh'],
    ['a key of somebody within', 'edge:sk_live_abcdefgh'],
    ['a secret of a webhook', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['a key as a query has it', 'api_key=abcdefgh'],
    ['a scheme', 'Bearer:abcdefgh'],
    ['another scheme', 'basic=dXNlcjpwYXNz'],
    ['a JSON Web Token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyOSJ9.c2lnbmVk'],
  ])('is made where it came with %s', (_, given) => {
    expect(requestId(given === undefined ? {} : { 'x-request-id': given }, keyring)).toMatch(uuid);
  });

  test.each([
    ['the key', 'Bearer mistyped', 'mistyped'],
    ['the key within', 'bearer  mistyped', 'for-mistyped-29'],
    ['what the Basic scheme encodes', 'Basic dXNlcjpwYXNzOndvcmQ=', 'dXNlcjpwYXNzOndvcmQ='],
    ['its user', 'Basic dXNlcjpwYXNzOndvcmQ=', 'from-user'],
    ['its password', 'Basic dXNlcjpwYXNzOndvcmQ=', 'from-pass:word'],
    [
      'a part of the Digest scheme',
      'Digest username="ann", response="6629fae49393a05397450978507c4ef1"',
      '6629fae49393a05397450978507c4ef1',
    ],
    ['the key without a scheme', 'mistyped', 'mistyped'],
  ])('is made where it came with %s of the request itself', (_, authorization, given) => {
    expect(requestId({ authorization, 'x-request-id': given }, keyring)).toMatch(uuid);
    expect(requestId({ 'proxy-authorization': authorization, 'x-request-id': given }, keyring)).toMatch(uuid);
  });
});

const given = { 'X-Request-Id': 'from-afar-29' };
const json = { 'content-type': 'application/json' };
const body = JSON.stringify(plainChat);
type Rig = Awaited<ReturnType<typeof startRig>>;

test.each<[what: string, send: (rig: Rig) => Promise<{ readonly headers: Headers }>]>([
  ['models', ({ send }) => send('GET', '/models', { headers: given })],
  ['a completion', ({ send }) => send('POST', '/chat/completions', { body, headers: { ...given, ...json } })],
  [
    'a stream',
    ({ send }) =>
      send('POST', '/chat/completions', { body: body.replace('{', '{"stream":true,'), headers: { ...given, ...json } }),
  ],
  ['a HEAD', ({ send }) => send('HEAD', '/models', { headers: given })],
  ['the health', ({ send }) => send('GET', '/../health', { headers: given })],
  ['a 400', ({ send }) => send('POST', '/chat/completions', { body: '{', headers: { ...given, ...json } })],
  ['a 400 for its URL', ({ send }) => send('GET', '/models/%E0%A4%A', { headers: given })],
  ['a 401', ({ send }) => send('GET', '/models', { headers: given }, '')],
  ['a 404', ({ send }) => send('GET', '/nothing', { headers: given })],
  ['a 405', ({ send }) => send('DELETE', '/models', { headers: given })],
  ['a 413', ({ send }) => send('POST', '/chat/completions', { body: body.repeat(99), headers: { ...given, ...json } })],
  ['a 426', ({ send }) => send('GET', '/ws/chat', { headers: given })],
])('%s carries it', async (_, send) => {
  const { headers } = await send(await startRig({ bodyLimit: 4_000 }));
  expect(headers.get('x-request-id')).toBe('from-afar-29');
});

test('what is not HTTP gets one, too', async () => {
  const { raw } = await startRig();
  expect(await raw('GARBAGE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*\r\nX-Request-Id: [-0-9a-f]{36}\r\n/s);
});

test('the 101 carries it', async () => {
  const { url } = await startRig();
  const headers = { authorization: `Bearer ${key}`, ...given };
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/chat`, { headers });
  const [response]: IncomingMessage[] = await once(socket, 'upgrade');
  expect(response?.headers['x-request-id']).toBe('from-afar-29');
  socket.terminate();
});

test.each([
  ['an unknown key', 'sk-other', 401],
  ['a bad handshake', key, 400],
])('the answer to a request for a socket with %s carries it', async (_, bearer, status) => {
  const { raw } = await startRig();
  const lines = ['GET /v1/ws/chat HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket'];
  const own = [`Authorization: Bearer ${bearer}`, 'X-Request-Id: from-afar-29'];
  const answer = await raw([...lines, ...own, '', ''].join('\r\n'));
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\nX-Request-Id: from-afar-29\r\n`, 's'));
});
