import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { scriptedBackend } from '../backends/scripted.ts';
import { keyOfTier } from '../keys/key-entries.ts';
import { memoryStore, StoreUnavailable } from '../limits/store.ts';
import type { ServerOptions } from '../server.ts';
import { heldBackend, key, plainChat, startRig, until } from '../test-rig.ts';
import { executeCode } from '../tools/execute-code.ts';
import { parseWebhook } from '../webhooks/target.ts';
import { openSocket, start } from '../websocket/socket-rig.ts';
import { createLog, type LogLevel } from './log.ts';

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly id?: string;
  readonly status?: number;
  readonly [name: string]: unknown;
}

/** A server whose log is kept. */
async function startLogged(options: Partial<ServerOptions> = {}, level: LogLevel = 'debug') {
  let text = '';
  const log = createLog(level, (line) => {
    text += line;
  });
  const rig = await startRig({ ...options, watchers: [log.watcher], onFault: log.fault });
  const lines = (): Line[] => text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  const said = (msg: string) => lines().filter((line) => line.msg === msg);
  return { ...rig, log, text: () => text, lines, said };
}

test('a request has a line when it begins and one when it ends, under its id', async () => {
  const { send, said, lines } = await startLogged();
  const headers = { 'content-type': 'application/json', 'x-request-id': 'my-29' };
  const { json } = await send('POST', '/chat/completions', { headers, body: JSON.stringify(plainChat) });
  await until(() => said('request ended').length === 1);
  const [began, ended] = lines();
  const request = { level: 'info', id: 'my-29', method: 'POST', route: '/v1/chat/completions' };
  expect(began).toEqual({
    ...request,
    time: expect.any(String),
    account: expect.stringMatching(/^key [0-9a-f]{8}$/),
    msg: 'request began',
  });
  expect(Number.isNaN(Date.parse(String(began?.time)))).toBe(false);
  expect(ended).toEqual({
    ...began,
    msg: 'request ended',
    time: expect.any(String),
    status: 200,
    durationMs: expect.any(Number),
    chat: json.id,
    transport: 'json',
    outcome: 'length',
    promptTokens: 3,
    completionTokens: 6,
    ttftMs: expect.any(Number),
  });
});

test('a request whose client leaves is told as one that was cut, with what it took', async () => {
  const { backend } = heldBackend();
  const { url, state, said } = await startLogged({ backend });
  const leaving = new AbortController();
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ ...plainChat, stream: true });
  const response = await fetch(`${url}/chat/completions`, { method: 'POST', headers, body, signal: leaving.signal });
  await response.body?.getReader().read();
  leaving.abort();
  await until(() => said('request ended').length === 1 && state.slots.busy === 0);
  expect(said('request ended')).toEqual([
    expect.objectContaining({ status: 200, cut: true, outcome: 'aborted', promptTokens: 3, completionTokens: 1 }),
  ]);
});

test('a request whose client leaves while it is counted has both of its lines', async () => {
  const store = memoryStore(Date.now, 60);
  let count = () => {};
  const waiting = new Promise<void>((resolve) => {
    count = resolve;
  });
  const add: typeof store.requests.add = async (...what) => {
    await waiting;
    return store.requests.add(...what);
  };
  const { url, state, said } = await startLogged({ store: { ...store, requests: { ...store.requests, add } } });
  const leaving = new AbortController();
  const left = fetch(`${url}/models`, { headers: { authorization: `Bearer ${key}` }, signal: leaving.signal });
  await until(() => state.underWay === 1);
  leaving.abort();
  await expect(left).rejects.toThrow('aborted');
  await until(() => state.underWay === 0);
  count();
  await until(() => said('request ended').length === 1);
  expect(said('request ended')).toEqual([expect.objectContaining({ id: said('request began')[0]?.id, cut: true })]);
});

test('what is down is told in its words, and what nobody expected by its place', () => {
  let text = '';
  const log = createLog('info', (line) => {
    text += line;
  });
  log.fault(new StoreUnavailable('Redis cannot be reached'));
  log.fault(new TypeError('not a function'));
  const [outage, fault] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(outage).toMatchObject({ level: 'warn', fault: 'StoreUnavailable', msg: 'Redis cannot be reached' });
  expect(outage).not.toHaveProperty('stack');
  expect(fault).toMatchObject({ level: 'error', fault: 'TypeError', stack: expect.any(Array) });
});

test('a socket, its chats and its errors are told under the id of its request', async () => {
  const { url, lines, said } = await startLogged();
  const { say, until: receive, socket } = await openSocket(url);
  say(start());
  await receive('done');
  say({ type: 'unheard-of' });
  await receive('error');
  socket.close(1000);
  await until(() => said('socket closed').length === 1);
  const [{ id } = { id: '' }] = lines();
  expect(lines().map((line) => [line.msg, line.id])).toEqual(
    ['request began', 'request ended', 'socket opened', 'chat ended', 'socket error', 'socket closed'].map((msg) => [
      msg,
      id,
    ]),
  );
  expect(said('request ended')).toEqual([expect.objectContaining({ status: 101 })]);
  expect(said('chat ended')).toEqual([expect.objectContaining({ transport: 'websocket', completionTokens: 6 })]);
  expect(said('socket error')).toEqual([expect.objectContaining({ code: 'invalid_request' })]);
  const [began] = said('request began');
  expect(said('socket closed')).toEqual([
    { ...began, msg: 'socket closed', time: expect.any(String), code: 1000, durationMs: expect.any(Number) },
  ]);
});

test('a socket that is lost is told as one that was cut', async () => {
  const { url, said } = await startLogged();
  const { socket } = await openSocket(url);
  socket.terminate();
  await until(() => said('socket closed').length === 1);
  expect(said('socket closed')).toEqual([expect.objectContaining({ code: 1006, cut: true })]);
});

const askForSocket = (...headers: readonly string[]) =>
  ['GET /v1/ws/chat HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket', ...headers, '', ''].join('\r\n');

test.each([
  ['without a valid key', 'Authorization: Bearer sk-other', 401],
  ['that is none', `Authorization: Bearer ${key}`, 400],
])('a request for a socket %s has its lines like any other', async (_, authorization, status) => {
  const { raw, lines, said } = await startLogged();
  await raw(askForSocket(authorization));
  await until(() => said('request ended').length === 1);
  const [began] = said('request began');
  expect(began).toMatchObject({ route: '/v1/ws/chat', method: 'GET', id: expect.any(String) });
  const ended = { ...began, msg: 'request ended', time: expect.any(String), status, durationMs: expect.any(Number) };
  expect(lines()).toEqual([began, ended]);
});

test('a request for a socket whose client leaves while it is counted has both of its lines', async () => {
  const store = memoryStore(Date.now, 60);
  let asked = 0;
  let count = () => {};
  const waiting = new Promise<void>((resolve) => {
    count = resolve;
  });
  const add: typeof store.requests.add = async (...what) => {
    asked += 1;
    if (asked === 1) await waiting;
    return store.requests.add(...what);
  };
  const { url, send, said } = await startLogged({ store: { ...store, requests: { ...store.requests, add } } });
  const client = connect(Number(new URL(url).port), '127.0.0.1');
  const handshake = ['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`];
  client.write(askForSocket(`Authorization: Bearer ${key}`, ...handshake));
  await until(() => asked === 1);
  client.destroy();
  // The server hears of what came before these.
  for (const _ of [1, 2]) await send('GET', '/models');
  count();
  const ofSockets = (msg: string) => said(msg).filter(({ route }) => route === '/v1/ws/chat');
  await until(() => ofSockets('request ended').length === 1);
  expect(ofSockets('request ended')).toEqual([
    expect.objectContaining({ id: ofSockets('request began')[0]?.id, cut: true }),
  ]);
  expect(said('socket opened')).toEqual([]);
});

test('probes of the health are told to who debugs alone', async () => {
  const { url, chat, lines, said } = await startLogged({}, 'info');
  await fetch(url.replace('/v1', '/health'));
  await chat();
  await until(() => said('request ended').length === 1);
  expect(lines().map(({ route }) => route)).toEqual(Array(2).fill('/v1/chat/completions'));
});

test('a server that is not asked for a log writes nothing', async () => {
  const { chat, lines } = await startLogged({}, 'error');
  await chat();
  await chat({}, 'Bearer sk-other');
  expect(lines()).toEqual([]);
});

test('nothing that clients, models or operators say gets into the log, whatever happens to it', async () => {
  const word = 'nobody-may-read-this';
  let count = 0;
  /** Something to look for that no other place holds. */
  const secret = () => {
    count += 1;
    return `${word}-${count}`;
  };
  const own = `sk-${word}`;
  const webhookKey = Buffer.from(`${word}-and-some-more-bytes`).toString('base64');
  const webhook = parseWebhook(
    { webhook_url: `http://127.0.0.1:9/${secret()}?token=${secret()}`, secret: `whsec_${webhookKey}` },
    'the test',
  );
  const scripted = scriptedBackend({ vision: true });
  const answers = { ...scripted, model: { ...scripted.model, id: 'stack29/scripted' } };
  const { url, chat, send, raw, text, said, log } = await startLogged({
    backend: answers,
    keys: [keyOfTier(own, 'pro')],
    webhook,
    firstRetryMs: 1,
    tools: executeCode(),
    behaviour: {
      generation(generation) {
        if (generation.seed === 29) throw new Error(`the prompt was ${JSON.stringify(generation.messages)}`);
        return generation;
      },
    },
  });
  const bearer = `Bearer ${own}`;
  const messages = [{ role: 'user', content: secret() }];
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } };
  const answered = await chat({ messages, user: secret(), temperature: 0 }, bearer);
  await chat({ messages: [{ role: 'user', content: [image] }] }, bearer);
  await chat({ messages, seed: 29 }, bearer);
  await chat({ messages, temperature: secret() }, bearer);
  await chat({ model: secret() }, bearer);
  await chat({}, `Bearer ${secret()}`);
  await send('GET', `/models/${secret()}?api_key=${own}`, { headers: { 'x-request-id': own } }, bearer);
  await send('GET', `/${secret()}`, { headers: { 'x-request-id': `id ${secret()}`, cookie: secret() } }, bearer);
  await raw(`GET /${secret()} HTTP/9.9\r\n\r\n`);
  const tools = [
    {
      type: 'function',
      function: {
        name: 'execute_code',
        parameters: {
          properties: { code: { const: `throw new Error('${secret()}')` }, language: { const: 'javascript' } },
          required: ['code', 'language'],
        },
      },
    },
  ];
  expect((await chat({ tools, tool_choice: 'required', max_tokens: 200 }, bearer)).status).toBe(422);
  const socket = await openSocket(url, { headers: {} }, `?api_key=${own}`);
  socket.say(start({ messages, api_key: own }));
  await socket.until('done');
  socket.say({ type: secret() });
  await socket.until('error');
  socket.say(`{"${secret()}`);
  await socket.until('error');
  socket.socket.close(1000, secret());
  await until(() => said('socket closed').length === 1);
  log.fault(new SyntaxError(`Unexpected token in "${secret()}"`));
  log.fault(secret());
  // The webhook is not there, which is told, though not where it is.
  const fallen = /generation\.done could not be delivered to 127\.0\.0\.1:9: /;
  await until(() => said('webhook delivery').length > 0);
  expect(text()).toMatch(fallen);
  expect(said('fault').map(({ fault }) => fault)).toEqual(['Error', 'SyntaxError', 'string']);

  const { content } = answered.json.choices[0].message;
  for (const forbidden of [word, webhookKey, png.slice(0, 20), content, content.split(' ').slice(0, 3).join(' ')]) {
    expect([forbidden, text().includes(forbidden)]).toEqual([forbidden, false]);
  }
});
