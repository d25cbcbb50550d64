import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { problemsOf } from '../specs/validate.ts';
import type { Backend } from './backends/backend.ts';
import { scriptedBackend } from './backends/scripted.ts';
import { heldBackend, key, plainChat, startRig, until } from './test-rig.ts';
import { openSocket, start } from './websocket/socket-rig.ts';

const never = new AbortController().signal;

/** A connection on which requests are written by hand. */
async function openConnection(url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  let received = '';
  socket.on('data', (data) => {
    received += String(data);
  });
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  return {
    closed,
    received: () => received,
    ask: (path: string, body = '') =>
      socket.write(
        [
          `${body === '' ? 'GET' : 'POST'} /v1${path} HTTP/1.1`,
          ...['Host: a', `Authorization: Bearer ${key}`, 'Content-Type: application/json'],
          `Content-Length: ${body.length}\r\n\r\n${body}`,
        ].join('\r\n'),
      ),
  };
}

/** A server with one chat of each transport under way. */
async function startBusy() {
  const { backend, letGo } = heldBackend();
  const rig = await startRig({ backend });
  const whole = rig.chat();
  const stream = await openConnection(rig.url);
  stream.ask('/chat/completions', JSON.stringify({ ...plainChat, stream: true }));
  const socket = await openSocket(rig.url);
  socket.say(start());
  await until(() => rig.state.slots.busy === 3 && stream.received().includes('one'));
  return { ...rig, whole, stream, socket, letGo };
}

describe('a server that drains', () => {
  test('lets answers, streams and generations on sockets come to their ends', async () => {
    const { drain, state, whole, stream, socket, letGo } = await startBusy();
    const drained = drain(never);
    expect([state.phase, state.underWay]).toEqual(['draining', 3]);
    letGo();
    expect((await whole).json.choices[0].message.content).toBe('one two three');
    expect((await whole).headers.get('connection')).toBe('close');
    await until(() => stream.received().includes('[DONE]'));
    const messages = await socket.until('done');
    expect(messages.map(({ content = '' }) => content).join('')).toBe('one two three');
    expect(await drained).toBe(0);
  });

  test('tells sockets to leave, those with a generation when it is done', async () => {
    const { drain, socket, url, letGo } = await startBusy();
    const idle = await openSocket(url);
    const drained = drain(never);
    expect(await idle.until('error')).toEqual([
      expect.objectContaining({ code: 'service_unavailable', message: expect.stringContaining('about to end') }),
    ]);
    expect(await idle.closed).toBe(1001);
    expect(socket.received.map(({ type }) => type)).toEqual(['content']);
    letGo();
    expect((await socket.until('error')).map(({ type }) => type)).toEqual([
      ...Array(3).fill('content'),
      'done',
      'error',
    ]);
    expect(await socket.closed).toBe(1001);
    await drained;
  });

  test('refuses what is new on a connection that it still needs, and closes it', async () => {
    const { drain, stream, letGo } = await startBusy();
    const drained = drain(never);
    stream.ask('/models');
    letGo();
    await stream.closed;
    const [, answer = ''] = stream.received().split('[DONE]');
    const [head = '', body = ''] = answer.slice(answer.indexOf('HTTP/1.1')).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 503 /);
    for (const line of ['Retry-After: 1', 'Connection: close', 'X-RateLimit-Limit: 100', 'X-Request-Id: ']) {
      expect(head).toContain(line);
    }
    expect(problemsOf('error', JSON.parse(body))).toEqual([]);
    expect(JSON.parse(body).error.code).toBe('service_unavailable');
    expect(await drained).toBe(0);
  });

  test('takes no more connections, and ends those without a request', async () => {
    const { drain, url, letGo } = await startBusy();
    const [fresh, idle] = [await openConnection(url), await openConnection(url)];
    idle.ask('/models');
    await until(() => idle.received().includes('"object":"list"'));
    const drained = drain(never);
    await Promise.all([fresh.closed, idle.closed]);
    await expect(fetch(`${url}/models`)).rejects.toThrow('fetch failed');
    letGo();
    await drained;
  });

  test('says what is not at its end in time, which goes on until the server is closed', async () => {
    const { drain, close, whole } = await startBusy();
    const late = new AbortController();
    const drained = drain(late.signal);
    late.abort();
    expect(await drained).toBe(3);
    await close();
    await expect(whole).rejects.toThrow('fetch failed');
  });

  test('waits for no client that does not close its side of a socket', async () => {
    const { url, drain } = await startRig();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(
      [
        ...['GET /v1/ws/chat HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket'],
        ...[`Authorization: Bearer ${key}`, 'Sec-WebSocket-Version: 13'],
        `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
      ].join('\r\n'),
    );
    await once(socket, 'data');
    expect(await drain(never)).toBe(0);
  });

  test('loses nothing of an answer that its client reads slowly', async () => {
    const words = 'word '.repeat(4_000_000);
    const backend: Backend = {
      ...scriptedBackend(),
      async *generate() {
        yield { type: 'text', text: words };
        yield { type: 'end', finishReason: 'stop', completionTokens: 1 };
      },
    };
    const { url, drain, state } = await startRig({ backend });
    const body = JSON.stringify(plainChat);
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}/chat/completions`, { method: 'POST', headers, body });
    expect(state.underWay).toBe(1);
    const drained = drain(never);
    const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
    expect(choices[0]?.message.content).toBe(words);
    expect(await drained).toBe(0);
  });
});

test('a server whose model starts again after a crash says so to who asks for its health', async () => {
  const backend: Backend & { backInMs?: number } = { ...scriptedBackend(), backInMs: 2_100 };
  const { send, state } = await startRig({ backend });
  const { status, json, headers } = await send('GET', '/../health', {}, '');
  expect([status, headers.get('retry-after'), json.error.code]).toEqual([503, '3', 'service_unavailable']);
  expect(json.error.message).toBe('the model is starting again after a crash: try again in 3 s');
  expect(state.ready).toBe(false);
  delete backend.backInMs;
  expect([(await send('GET', '/../health', {}, '')).status, state.ready]).toEqual([200, true]);
});

describe('a server whose model is being loaded', () => {
  /** It is loaded, or fails to be, when the test says so. */
  async function startLoading() {
    let load = (_: Backend) => {};
    let fail = (_: Error) => {};
    const backend = new Promise<Backend>((resolve, reject) => {
      load = resolve;
      fail = reject;
    });
    const rig = await startRig({ backend });
    return { ...rig, load: () => load(scriptedBackend()), fail: (error: Error) => fail(error) };
  }

  test('refuses every request with 503 until then', async () => {
    const { url, send, chat, ready, state, load } = await startLoading();
    const refused = [
      await chat(),
      await chat({ stream: true }),
      await send('GET', '/models'),
      await send('GET', '/../health', {}, ''),
    ];
    for (const { status, headers, json } of refused) {
      expect([status, headers.get('retry-after'), json.error.code]).toEqual([503, '1', 'service_unavailable']);
      expect(problemsOf('error', json)).toEqual([]);
      expect(problemsOf('rate-limit-headers', Object.fromEntries(headers))).toEqual([]);
    }
    const upgrade = fetch(`${url}/ws/chat`, { headers: { authorization: `Bearer ${key}` } });
    expect((await upgrade).status).toBe(503);
    expect(state.phase).toBe('loading');
    load();
    await ready;
    expect([(await chat()).status, (await send('GET', '/../health', {}, '')).status]).toEqual([200, 200]);
  });

  test('refuses sockets, too', async () => {
    const { raw } = await startLoading();
    const lines = ['GET /v1/ws/chat HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket'];
    const answer = await raw([...lines, `Authorization: Bearer ${key}`, '', ''].join('\r\n'));
    expect(answer).toMatch(/^HTTP\/1\.1 503 .*Retry-After: 1\r\n.*"service_unavailable"/s);
  });

  test('says why it cannot be, and never serves', async () => {
    const { ready, chat, fail } = await startLoading();
    fail(new Error('there is no such file'));
    await expect(ready).rejects.toThrow('there is no such file');
    expect((await chat()).status).toBe(503);
  });
});
