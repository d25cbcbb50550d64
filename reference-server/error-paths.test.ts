import { describe, expect, test } from 'vitest';
import { problemsOf } from '../specs/validate.ts';
import { scriptedBackend } from './backends/scripted.ts';
import { type Answered, disabledKey, key, plainChat, startRig } from './test-rig.ts';

type Rig = Awaited<ReturnType<typeof startRig>>;

const typed = (type: string) => ({ 'content-type': type });

const errors: readonly [
  what: string,
  send: (rig: Rig) => Promise<Answered>,
  status: number,
  code: string,
  param: unknown,
][] = [
  ['no key', ({ chat }) => chat({}, ''), 401, 'invalid_api_key', 'authorization'],
  ['an unknown key', ({ chat }) => chat({}, 'Bearer sk-other'), 401, 'invalid_api_key', 'authorization'],
  ['another scheme', ({ chat }) => chat({}, 'Basic sk-test-free'), 401, 'invalid_api_key', 'authorization'],
  ['two keys', ({ chat }) => chat({}, 'Bearer sk-test-free sk-other'), 401, 'invalid_api_key', 'authorization'],
  ['a disabled account', ({ chat }) => chat({}, `Bearer ${disabledKey}`), 403, 'account_disabled', 'authorization'],
  ['an unknown model', ({ chat }) => chat({ model: 'other' }), 404, 'model_not_found', 'model'],
  ['an unknown single model', ({ send }) => send('GET', '/models/a/b'), 404, 'model_not_found', 'model'],
  ['an unknown path', ({ send }) => send('GET', '/nothing'), 404, 'invalid_request', null],
  ['a method that a path does not take', ({ send }) => send('DELETE', '/models'), 405, 'invalid_request', null],
  ['a method of WebDAV', ({ send }) => send('PROPFIND', '/models/a'), 405, 'invalid_request', null],
  ['a body that is not JSON', ({ post }) => post('{"model":'), 400, 'invalid_request', null],
  ['a body that is not an object', ({ post }) => post('[]'), 400, 'invalid_request', null],
  ['an empty body', ({ post }) => post(''), 400, 'invalid_request', null],
  ['no body', ({ send }) => send('POST', '/chat/completions'), 400, 'invalid_request', null],
  [
    'text for a body',
    ({ send }) => send('POST', '/chat/completions', { body: 'a', headers: typed('text/plain') }),
    415,
    'invalid_request',
    null,
  ],
  ['a body that is too large', ({ post }) => post(`"${'a'.repeat(5000)}"`), 413, 'invalid_request', null],
  [
    'a compressed body',
    ({ send }) =>
      send('POST', '/chat/completions', {
        body: JSON.stringify(plainChat),
        headers: { ...typed('application/json'), 'content-encoding': 'gzip' },
      }),
    415,
    'invalid_request',
    'content-encoding',
  ],
  ['a bad escape in the URL', ({ send }) => send('GET', '/models/%E0%A4%A'), 400, 'invalid_request', null],
  ['a bad parameter', ({ chat }) => chat({ temperature: 3 }), 400, 'invalid_request', 'temperature'],
  ['a missing parameter', ({ chat }) => chat({ messages: undefined }), 400, 'invalid_request', 'messages'],
  ['more than one choice', ({ chat }) => chat({ n: 2 }), 400, 'invalid_request', 'n'],
  ['a bad parameter of a stream', ({ chat }) => chat({ stream: true, stop: 1 }), 400, 'invalid_request', 'stop'],
];

test.each(errors)('%s is told in the form of errors, with version and limits', async (_, send, status, code, param) => {
  const answer = await send(await startRig({ bodyLimit: 4000 }));
  expect(problemsOf('error', answer.json)).toEqual([]);
  expect(answer.json).toMatchObject({ error: { code, param }, api_version: '1.0', deprecation_date: null });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('x-api-version')).toBe('1.0');
  expect(problemsOf('rate-limit-headers', Object.fromEntries(answer.headers))).toEqual([]);
  expect(answer.headers.get('x-ratelimit-used')).toBe('1');
});

test('the message says where a bad parameter is, and what is expected', async () => {
  const { chat } = await startRig();
  const { json } = await chat({
    messages: [
      { role: 'user', content: 'a' },
      { role: 'user', content: 2 },
    ],
  });
  expect(json.error.message).toBe('messages[1].content must be a string or an array, not 2');
});

test('a method that is not allowed is told which ones are', async () => {
  const { send } = await startRig();
  expect((await send('GET', '/chat/completions')).headers.get('allow')).toBe('POST');
});

test.each(['{"__proto__":{"temperature":9},', '{"constructor":{"prototype":{}},'])(
  'a member of any name that is not known is ignored: %s',
  async (begin) => {
    const { post } = await startRig();
    expect((await post(begin + JSON.stringify(plainChat).slice(1))).status).toBe(200);
  },
);

test('a body that says it is not compressed is read', async () => {
  const { send } = await startRig();
  const headers = { ...typed('application/json'), 'content-encoding': 'identity' };
  expect((await send('POST', '/chat/completions', { body: JSON.stringify(plainChat), headers })).status).toBe(200);
});

test('images are refused, text parts are read', async () => {
  const { chat } = await startRig();
  const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
  const ask = (...content: object[]) => chat({ messages: [{ role: 'user', content }] });
  expect((await ask({ type: 'text', text: 'a' }, image)).json.error.message).toContain('cannot see');
  expect((await ask({ type: 'text', text: 'a' }, { type: 'text', text: 'b c' })).json.usage.prompt_tokens).toBe(4);
});

describe('what is not HTTP', () => {
  const post = `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n`;
  const unreadable: readonly [what: string, text: string, status: number][] = [
    ['garbage', 'GARBAGE\r\n\r\n', 400],
    ['an unknown method', 'BREW /v1/models HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a request without a host', 'GET /v1/models HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    [
      'an expectation that nobody knows',
      'GET /v1/models HTTP/1.1\r\nHost: a\r\nExpect: foo\r\nConnection: close\r\n\r\n',
      417,
    ],
    ['a body whose chunks are garbage', `${post}Transfer-Encoding: chunked\r\n\r\nGARBAGE\r\n`, 400],
    ['headers that are too large', `GET /v1/models HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ];
  test.each(unreadable)('%s is told in the form of errors, too', async (_, text, status) => {
    const { raw } = await startRig();
    const [head = '', body = ''] = (await raw(text)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*X-API-Version: 1.0.*X-RateLimit-Remaining: 99`, 's'));
    expect(problemsOf('error', JSON.parse(body))).toEqual([]);
  });

  test('after a whole answer it is still told', async () => {
    const { raw } = await startRig();
    const received = await raw('GET /health HTTP/1.1\r\nHost: a\r\n\r\n', 'GARBAGE\r\n\r\n');
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  });

  test('behind requests that are not answered yet it takes the place of no answer', async () => {
    const { raw } = await startRig();
    const body = JSON.stringify(plainChat);
    const chat = `${post}Content-Length: ${body.length}\r\n\r\n${body}`;
    const models = 'GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n';
    for (const valid of [chat, models + chat, chat + models]) {
      expect(await raw(`${valid}GARBAGE\r\n\r\n`)).not.toContain('HTTP/1.1 400');
      const chunks = `${post}Transfer-Encoding: chunked\r\n\r\nGARBAGE\r\n`;
      expect(await raw(valid + chunks)).not.toContain('HTTP/1.1 400');
    }
  });

  test('an older request needs no host, and may expect what it likes', async () => {
    const { raw } = await startRig();
    expect(await raw('GET /health HTTP/1.0\r\nExpect: foo\r\n\r\n')).toContain('HTTP/1.1 200');
  });

  test('inside of a stream it ends the connection, since nothing can be told', async () => {
    const { raw } = await startRig({ backend: scriptedBackend({ tokensPerSecond: 20 }) });
    const body = JSON.stringify({ ...plainChat, max_tokens: 1000, stream: true });
    const received = await raw(`${post}Content-Length: ${body.length}\r\n\r\n${body}`, 'GARBAGE\r\n\r\n');
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
    expect(received).not.toContain('[DONE]');
  });
});

test('an error of the server itself is a 500 that tells nothing of it', async () => {
  const told: unknown[] = [];
  const broken = new Error('a secret of the server');
  const behaviour = {
    generation() {
      throw broken;
    },
  };
  const { post } = await startRig({ behaviour, onFault: (error) => told.push(error) });
  const { status, json } = await post(JSON.stringify(plainChat));
  expect([status, json.error.code]).toEqual([500, 'internal_error']);
  expect(JSON.stringify(json)).not.toContain('secret');
  expect(told).toEqual([broken]);
});
