import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Backend } from '../backends/backend.ts';
import { scriptedBackend } from '../backends/scripted.ts';
import { disabledKey, key, startRig, until } from '../test-rig.ts';
import { openSocket, type Received, start } from './socket-rig.ts';

const textOf = (messages: readonly Received[]) => messages.map(({ content = '' }) => content).join('');
const keyless = { headers: {} };
const withKey = (name: string) => ({ headers: { authorization: `Bearer ${name}` } });

/** The status and the error of a refused request for a socket. */
async function refusal(url: string, headers: Readonly<Record<string, string>>, query = '') {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/chat${query}`, { headers });
  const [, response] = await once(socket, 'unexpected-response');
  let body = '';
  for await (const piece of response) body += piece;
  return { status: response.statusCode, headers: response.headers, error: JSON.parse(body).error };
}

test('a start is answered piece by piece, and a done tells what it took', async () => {
  const { url, chat } = await startRig();
  const { say, until } = await openSocket(url);
  say(start({ temperature: 0 }));
  const messages = await until('done');
  expect(messages.map(({ type }) => type)).toEqual([...Array(6).fill('content'), 'done']);
  expect(messages.at(-1)).toEqual({
    type: 'done',
    finish_reason: 'length',
    usage: { prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 },
  });
  const { json } = await chat({ temperature: 0 });
  expect(textOf(messages)).toBe(json.choices[0].message.content);
});

test('the key is taken from the header, the query and the start', async () => {
  const { url } = await startRig();
  const sockets = [
    [await openSocket(url), start()],
    [await openSocket(url, keyless, `?api_key=${key}`), start()],
    [await openSocket(url, keyless), start({ api_key: key })],
  ] as const;
  for (const [{ say, until }, message] of sockets) {
    say(message);
    expect((await until('done')).length).toBeGreaterThan(1);
  }
});

test('without a valid key nothing is generated', async () => {
  const { url } = await startRig();
  const { say, until } = await openSocket(url, keyless);
  for (const [members, code] of [
    [{}, 'invalid_api_key'],
    [{ api_key: 'sk-other' }, 'invalid_api_key'],
    [{ api_key: 29 }, 'invalid_api_key'],
    [{ api_key: disabledKey }, 'account_disabled'],
  ] as const) {
    say(start(members));
    expect(await until('error')).toEqual([expect.objectContaining({ code, param: 'authorization' })]);
  }
  const bad = await refusal(url, withKey('sk-other').headers);
  expect([bad.status, bad.error.code, bad.headers['x-ratelimit-limit']]).toEqual([401, 'invalid_api_key', '100']);
  expect((await refusal(url, {}, '?api_key=sk-other')).status).toBe(401);
  expect((await refusal(url, withKey(disabledKey).headers)).status).toBe(403);
});

test('bad messages are answered with errors, and the socket goes on', async () => {
  const { url } = await startRig();
  const { socket, say, until } = await openSocket(url);
  const deep = `{"type":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
  for (const [message, param, words] of [
    ['{"type":', null, 'not JSON'],
    ['[]', null, 'must be a JSON object'],
    ['null', null, 'must be a JSON object'],
    ['{}', 'type', 'not absent'],
    [{ type: 'begin' }, 'type', 'not "begin"'],
    [{ type: 7 }, 'type', 'not 7'],
    [deep, 'type', 'must be one of'],
    [start({ model: undefined }), 'model', 'model is missing'],
    [start({ model: 'other' }), 'model', 'there is no model'],
    [start({ messages: [] }), 'messages', 'at least 1 item'],
    [start({ temperature: 'warm' }), 'temperature', 'must be a number'],
    [start({ messages: [{ role: 'user', content: 'a '.repeat(5000) }] }), 'messages', 'context window'],
  ] as const) {
    say(message);
    const [error] = await until('error');
    expect([error?.param, error?.message]).toEqual([param, expect.stringContaining(words)]);
  }
  socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
  expect((await until('error'))[0]?.message).toContain('binary');
  say({ type: 'ping' });
  expect(await until('pong')).toEqual([{ type: 'pong' }]);
});

test('a message that is too long closes the socket with 1009, and the server goes on', async () => {
  const { url, chat } = await startRig({ bodyLimit: 4096 });
  const { say, closed } = await openSocket(url);
  say('x'.repeat(5000));
  expect(await closed).toBe(1009);
  expect((await chat()).status).toBe(200);
});

test('stop ends the generation with done; ping is answered meanwhile; another start follows', async () => {
  const { url } = await startRig({ backend: scriptedBackend({ tokensPerSecond: 200 }) });
  const { say, until } = await openSocket(url);
  say(start({ max_tokens: 1000 }));
  await until('content');
  say({ type: 'ping' });
  await until('pong');
  say({ type: 'stop' });
  const rest = await until('done');
  expect(rest.at(-1)?.finish_reason).toBe('stop');
  expect(rest.length).toBeLessThan(500);
  say(start({ max_tokens: 2 }));
  expect((await until('done')).map(({ type }) => type)).toEqual(['content', 'content', 'done']);
});

test('a stop right behind its start ends it, and one without a start changes nothing', async () => {
  const { url } = await startRig({ backend: scriptedBackend({ tokensPerSecond: 1 }) });
  const { say, until } = await openSocket(url);
  say({ type: 'stop' });
  say(start({ max_tokens: 1000 }));
  say({ type: 'stop' });
  expect((await until('done')).at(-1)?.finish_reason).toBe('stop');
});

test('a second start while a generation runs is refused, and the first goes on', async () => {
  const { url } = await startRig();
  const { say, until } = await openSocket(url);
  say(start({ max_tokens: 3 }));
  say(start({ max_tokens: 3 }));
  expect((await until('error')).at(-1)?.message).toContain('a generation is running');
  await until('done');
});

test('sockets and REST share the requests of a window, and the places at the same time', async () => {
  const limits = { requestsPerMinute: 4, tokensPerDay: 100_000, concurrent: 1 };
  const { url, chat, send } = await startRig({
    backend: scriptedBackend({ tokensPerSecond: 200 }),
    keys: [{ key, disabled: false, limits }],
  });
  const { say, until } = await openSocket(url);
  say(start({ max_tokens: 1000 }));
  await until('content');
  const refused = await chat();
  expect([refused.status, refused.json.error.message]).toEqual([429, expect.stringContaining('at the same time')]);
  say({ type: 'stop' });
  await until('done');
  expect((await send('GET', '/models')).headers.get('x-ratelimit-used')).toBe('4');
  say(start());
  expect((await until('error')).at(-1)?.code).toBe('rate_limit_exceeded');
  const { status, headers } = await refusal(url, { authorization: `Bearer ${key}` });
  expect([status, headers['retry-after']]).toEqual([429, expect.stringMatching(/^\d+$/)]);
});

test('the generation of a client that vanishes is ended', async () => {
  let aborted = false;
  const plain = scriptedBackend({ tokensPerSecond: 50 });
  const backend: Backend = {
    ...plain,
    generate(generation, signal) {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return plain.generate(generation, signal);
    },
  };
  const { url } = await startRig({ backend });
  const { socket, say, until: receive } = await openSocket(url);
  say(start({ max_tokens: 1000 }));
  await receive('content');
  socket.terminate();
  await until(() => aborted);
});

test('pings that nobody reads the answers to are not read either', async () => {
  const { url } = await startRig();
  const { socket } = await openSocket(url);
  socket.pause();
  const payload = Buffer.alloc(125);
  for (let count = 0; count < 200_000; count += 1) socket.ping(payload);
  await vi.waitFor(
    async () => {
      const before = socket.bufferedAmount;
      await sleep(200);
      expect(before - socket.bufferedAmount).toBeLessThan(1_000);
    },
    { timeout: 10_000 },
  );
  expect(socket.bufferedAmount).toBeGreaterThan(1_000_000);
});

test('what is no WebSocket at that path is refused in the envelope', async () => {
  const { send, raw } = await startRig();
  const plain = await send('GET', '/ws/chat');
  expect([plain.status, plain.headers.get('upgrade')]).toEqual([426, 'websocket']);
  expect((await send('POST', '/ws/chat', { body: '{}' })).status).toBe(405);
  const head = `GET /v1/ws/chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nAuthorization: Bearer ${key}\r\n`;
  expect(await raw(`${head}Upgrade: websocket\r\n\r\n`)).toMatch(/^HTTP\/1.1 400 .*"code":"invalid_request"/s);
});

test('a request that asks for another protocol, or for a socket elsewhere, is served as if it had not', async () => {
  const { url, raw } = await startRig();
  const body = JSON.stringify({
    model: 'stack29/scripted',
    messages: [{ role: 'user', content: 'Hi' }],
    max_tokens: 2,
  });
  const fields = (protocol: string) =>
    `Host: a\r\nAuthorization: Bearer ${key}\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n`;
  const post = `POST /v1/chat/completions HTTP/1.1\r\n${fields('h2c')}Content-Type: application/json\r\n`;
  const port = Number(new URL(url).port);
  const client = connect(port, '127.0.0.1');
  client.write(`${post}Content-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`);
  await sleep(50);
  client.write(body.slice(10));
  const [answer] = await once(client, 'data');
  client.destroy();
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 OK.*"chat.completion"/s);
  const elsewhere = connect(port, '127.0.0.1');
  elsewhere.write(`GET /v1/nothing HTTP/1.1\r\n${fields('websocket')}\r\n`);
  expect(String((await once(elsewhere, 'data'))[0])).toMatch(/^HTTP\/1.1 404 /);
  elsewhere.destroy();
  expect(await raw('GET /v1/ws/chat HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 401 /);
});

test('a server that closes ends its sockets', async () => {
  const { url, close } = await startRig();
  const { closed } = await openSocket(url);
  await close();
  expect(await closed).toBe(1006);
});
