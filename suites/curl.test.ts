import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RecordedRequest } from '../specs/evidence.ts';
import { reproduce } from './curl.ts';

interface Received {
  readonly message: IncomingMessage;
  readonly body: string;
}

const shell = promisify(execFile);
let server: Server;
let baseUrl: string;
let received: Received[];

beforeAll(async () => {
  server = createServer(async (message, response) => {
    received.push({ message, body: await text(message) });
    response.end('fine');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});

afterAll(() => {
  server.close();
});

const chat: RecordedRequest = {
  method: 'POST',
  path: '/chat/completions',
  credential: 'key',
  headers: [
    ['authorization', 'Bearer [masked]'],
    ['content-type', 'application/json'],
    ['content-length', '2'],
  ],
  body: '{}',
};

/** What the server received when a POSIX shell ran the command. */
async function run(request: RecordedRequest): Promise<Received> {
  received = [];
  const env = { PATH: process.env.PATH, STACK29_API_KEY: 'sk-a$b`c', STACK29_DISABLED_KEY: 'sk-disabled' };
  const { stdout } = await shell('sh', ['-c', reproduce(request, baseUrl)], { env });
  expect(stdout).toMatch(/^HTTP\/1\.1 200/);
  expect(received).toHaveLength(1);
  return received[0] as Received;
}

describe('a command run by sh', () => {
  test.each([
    ['quotes', `{"a":"it's \\"quoted\\""}`],
    ['shell syntax', '{"a":"$HOME `id` $(id) !! \\\\ \\n * ~ ; & |"}'],
    ['line ends and tabs', '{\n\t"a": 1\r\n}\n'],
    ['a leading @', '@/etc/hostname'],
    ['control characters', '{"a":"\u001b[31m\u0000\u0007\u009b % %s \\ é 😀"}'],
    ['direction marks and line separators', '{"a":"\u202e\u2066\u2028"}'],
    ['nothing', ''],
  ])('sends a body with %s as it was', async (_what, body) => {
    expect((await run({ ...chat, body })).body).toBe(body);
  });

  test('sends method, path, query and headers as they were', async () => {
    const { message } = await run({
      ...chat,
      method: 'PUT',
      path: "/models/a%2Fb/../c?x={1,2}&y=[1-3]&z=it's",
      headers: [...chat.headers, ['x-empty', ''], ['x-dollar', '$HOME']],
    });
    expect(message.method).toBe('PUT');
    expect(message.url).toBe("/v1/models/a%2Fb/../c?x={1,2}&y=[1-3]&z=it's");
    expect(message.headers).toMatchObject({ 'content-type': 'application/json', 'x-empty': '', 'x-dollar': '$HOME' });
  });

  test('sends no content type where none was sent', async () => {
    const { message } = await run({ ...chat, headers: [] });
    expect(message.headers['content-type']).toBeUndefined();
  });

  test('reads without a body', async () => {
    const { message, body } = await run({ method: 'GET', path: '/models', credential: 'none', headers: [] });
    expect([message.method, message.url, body]).toEqual(['GET', '/v1/models', '']);
    expect(message.headers.authorization).toBeUndefined();
  });

  test.each([
    ['key', 'Bearer sk-a$b`c'],
    ['disabled', 'Bearer sk-disabled'],
    ['basic', 'Basic sk-a$b`c'],
  ] as const)('takes the credential %s from the environment', async (credential, authorization) => {
    const { message } = await run({ ...chat, credential });
    expect(message.headers.authorization).toBe(authorization);
  });

  test('keeps a credential that is not a secret', async () => {
    const { message } = await run({ ...chat, credential: 'unknown', headers: [['authorization', 'Bearer nobody']] });
    expect(message.headers.authorization).toBe('Bearer nobody');
  });
});

describe('the text of a command', () => {
  test('does not buffer a stream', () => {
    expect(reproduce({ ...chat, body: '{"stream": true}' }, baseUrl)).toMatch(/^curl -iNg /);
    expect(reproduce(chat, baseUrl)).toMatch(/^curl -ig /);
  });

  test('spells out no body over 4 kB', () => {
    const text = reproduce({ ...chat, body: '😀'.repeat(2500) }, baseUrl);
    expect(text.length).toBeLessThan(600);
    expect(text).toContain(
      "jq -nj 'first(inputs.request.body | strings | select(length == 2500))' run.evidence.jsonl |\ncurl -ig ",
    );
    expect(text).toMatch(/--data-binary @-$/);
  });

  test('holds no raw control character but line ends', () => {
    expect(reproduce({ ...chat, body: '\u001b\u0000\u009b' }, baseUrl)).toMatch(/^[\P{C}\n]*$/u);
  });
});
