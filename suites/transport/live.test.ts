import { createServer as createHttpServer, request as forward } from 'node:http';
import { connect, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Credential } from '../../specs/evidence.ts';
import { readReply } from '../reply.ts';
import { unknownKey } from './credentials.ts';
import { type LiveSettings, openLiveWire } from './live.ts';
import { openTcpTarget, type TcpTarget } from './tcp-target.ts';
import { expiredCertificate, soundCertificate, strangeCertificate, testKey } from './test-certificates.ts';
import { BadSettings, type WireRequest } from './wire.ts';

const key = 'sk-live-test-0123456789';
const disabledKey = 'sk-disabled-9876543210';
const exhaustedKey = 'sk-exhausted-5678901234';
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) await close();
});

async function open(
  answer: (socket: Socket) => void,
  secure?: Parameters<typeof openTcpTarget>[1],
): Promise<TcpTarget> {
  const target = await openTcpTarget(answer, secure);
  closing.push(target.close);
  return target;
}

function wireTo(baseUrl: string, more: Partial<LiveSettings> = {}) {
  return openLiveWire({
    baseUrl,
    key,
    disabledKey,
    exhaustedKey,
    timeoutMs: 2000,
    userAgent: 'test/1',
    startedAt: performance.now(),
    ...more,
  });
}

const list: WireRequest = { probe: 'a list', step: 0, method: 'GET', path: '/models', credential: 'key', headers: {} };
const ok = (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');

describe('a request', () => {
  test('goes out below the base URL, its path untouched', async () => {
    const target = await open(ok);
    await wireTo(target.url).send({ ...list, path: '/models/qwen%2Fqwen2.5/../x?y=%20' });
    expect(target.received[0]).toMatch(/^GET \/v1\/models\/qwen%2Fqwen2\.5\/\.\.\/x\?y=%20 HTTP\/1\.1\r\n/);
  });

  test('carries the headers of the tool, the user and the probe, the later ones first', async () => {
    const target = await open(ok);
    const wire = wireTo(target.url, { headers: { 'X-Team': 'one', Accept: 'a/b' } });
    const { request } = await wire.send({ ...list, headers: { 'x-team': 'two' } });
    for (const line of ['x-team: two', 'accept: a/b', 'accept-encoding: identity', 'user-agent: test/1']) {
      expect(target.received[0]).toContain(`${line}\r\n`);
    }
    expect(request.headers).toContainEqual(['x-team', 'two']);
  });

  test('that asks for a failure carries the header for it, and says so', async () => {
    const target = await open(ok);
    const wire = wireTo(target.url, { faultHeader: { name: 'X-Chaos', values: { 500: 'crash' } } });
    const { request } = await wire.send({ ...list, demand: '500' });
    expect(target.received[0]).toContain('x-chaos: crash\r\n');
    expect(request.demand).toBe('500');
    await wire.send(list);
    expect(target.received[1]).not.toContain('x-chaos');
    await expect(wire.send({ ...list, demand: '503' })).rejects.toThrow('no header for it was given');
  });

  test('is recorded with times that follow each other', async () => {
    const target = await open((socket) => setTimeout(ok, 30, socket));
    const { sentAt, headersAt = 0, endedAt, response, sentTime } = await wireTo(target.url).send(list);
    expect(sentAt).toBeGreaterThanOrEqual(0);
    expect(headersAt - sentAt).toBeGreaterThanOrEqual(29);
    expect(response?.pieces[0]?.at).toBeGreaterThanOrEqual(headersAt);
    expect(endedAt).toBeGreaterThanOrEqual(response?.pieces[0]?.at ?? Infinity);
    expect(Math.abs(Date.now() - sentTime)).toBeLessThan(5000);
  });

  test.each<[Credential, string | undefined, string | undefined]>([
    ['key', `Bearer ${key}`, 'Bearer [masked]'],
    ['basic', `Basic ${key}`, 'Basic [masked]'],
    ['exhausted', `Bearer ${exhaustedKey}`, 'Bearer [masked]'],
    ['disabled', `Bearer ${disabledKey}`, 'Bearer [masked]'],
    ['unknown', `Bearer ${unknownKey}`, `Bearer ${unknownKey}`],
    ['none', undefined, undefined],
  ])('with the credential %s', async (credential, sent, recorded) => {
    const target = await open(ok);
    const { request } = await wireTo(target.url).send({ ...list, credential });
    expect(/authorization: (.*)\r\n/.exec(target.received[0] ?? '')?.[1]).toBe(sent);
    expect(request.headers.find(([name]) => name === 'authorization')?.[1]).toBe(recorded);
  });

  test('that HTTP cannot carry is a fault of the suite', async () => {
    const target = await open(ok);
    await expect(wireTo(target.url).send({ ...list, path: '/a b' })).rejects.toThrow('invalid request path');
    await expect(
      wireTo(target.url, { disabledKey: undefined }).send({ ...list, credential: 'disabled' }),
    ).rejects.toThrow('disabled key');
  });
});

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('%i is an answer, and nothing is sent to where it points', async (status) => {
    const other = await open(ok);
    const target = await open((socket) =>
      socket.write(`HTTP/1.1 ${status} Elsewhere\r\nlocation: ${other.url}/models\r\ncontent-length: 0\r\n\r\n`),
    );
    const reply = readReply(await wireTo(target.url).send(list));
    expect(reply).toMatchObject({ status, failure: undefined });
    expect(reply.header('Location')).toBe(`${other.url}/models`);
    expect(other.received).toEqual([]);
  });
});

describe('connections', () => {
  test('each request has one of its own, so that a server may close them as it likes', async () => {
    const target = await open((socket) => {
      ok(socket);
      setTimeout(() => socket.destroy(), 1);
    });
    const wire = wireTo(target.url);
    for (let step = 0; step < 30; step += 1) {
      const { failure } = await wire.send({ ...list, step, method: 'POST', body: '{}' });
      expect(failure).toBeUndefined();
    }
    expect(target.received).toHaveLength(30);
  });

  test('closing the wire ends what is under way', async () => {
    const target = await open(() => {});
    const wire = wireTo(target.url, { timeoutMs: 20_000 });
    const pending = wire.send(list);
    await vi.waitFor(() => expect(target.received).toHaveLength(1));
    await wire.close();
    expect((await pending).failure?.kind).toBe('closed');
  });
});

describe('TLS', () => {
  const secure = (cert: string) => createTlsServer({ key: testKey, cert });

  test.each([
    ['self-signed', soundCertificate, {}],
    ['expired', expiredCertificate, { ca: expiredCertificate }],
    ['made for another host', strangeCertificate, { ca: strangeCertificate }],
  ])('a certificate that is %s gets no request', async (words, certificate, trust) => {
    const target = await open(ok, secure(certificate));
    const { failure } = await wireTo(target.url, trust).send(list);
    expect(failure?.kind).toBe('tls');
    expect(failure?.message).toContain(`certificate: ${words}`);
    expect(target.received.join('')).toBe('');
  });

  test.each([
    ['its authority is trusted', soundCertificate, { ca: soundCertificate }],
    ['any is accepted', strangeCertificate, { insecure: true }],
  ])('a certificate is taken where %s', async (_name, certificate, trust) => {
    const target = await open(ok, secure(certificate));
    const { failure, response } = await wireTo(target.url, trust).send(list);
    expect(failure).toBeUndefined();
    expect(response?.status).toBe(200);
  });

  test('a target without TLS under https is told as such', async () => {
    const target = await open((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const { failure } = await wireTo(target.url.replace('http:', 'https:')).send(list);
    expect(failure?.kind).toBe('tls');
  });

  test('a target with TLS under http does not speak HTTP', async () => {
    const target = await open(ok, secure(soundCertificate));
    const { failure } = await wireTo(target.url.replace('https:', 'http:')).send(list);
    expect(['protocol', 'closed']).toContain(failure?.kind);
  });
});

describe('a proxy', () => {
  /** Forwards everything to one target, whatever its name, and remembers what it was asked for. */
  async function openProxy(target: TcpTarget): Promise<{ readonly url: string; readonly asked: string[] }> {
    const asked: string[] = [];
    const to = new URL(target.url);
    const server = createHttpServer((incoming, outgoing) => {
      asked.push(`${incoming.method} ${incoming.url}`);
      const { method, headers } = incoming;
      const passed = forward({
        host: to.hostname,
        port: to.port,
        path: new URL(incoming.url ?? '').pathname,
        method,
        headers,
      });
      passed.on('response', (response) => {
        outgoing.writeHead(response.statusCode ?? 0, response.headers);
        response.pipe(outgoing);
      });
      incoming.pipe(passed);
    });
    server.on('connect', (incoming, socket: Socket) => {
      asked.push(`CONNECT ${incoming.url}`);
      if (incoming.url?.startsWith('closed.example:')) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      const through = connect(Number(to.port), to.hostname, () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        through.pipe(socket).pipe(through);
      });
      for (const side of [through, socket]) side.on('error', () => side.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const address = server.address();
    return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, asked };
  }

  test('of the environment carries http', async () => {
    const target = await open(ok);
    const proxy = await openProxy(target);
    vi.stubEnv('HTTP_PROXY', proxy.url);
    const { response, failure } = await wireTo('http://api.example/v1').send(list);
    expect(failure).toBeUndefined();
    expect(response?.status).toBe(200);
    expect(proxy.asked).toEqual(['GET http://api.example/v1/models']);
  });

  test('of the environment carries https in a tunnel', async () => {
    const target = await open(ok, createTlsServer({ key: testKey, cert: soundCertificate }));
    const proxy = await openProxy(target);
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    const { response, failure } = await wireTo('https://api.example/v1', { insecure: true }).send(list);
    expect(failure).toBeUndefined();
    expect(response?.status).toBe(200);
    expect(proxy.asked).toEqual(['CONNECT api.example:443']);
  });

  test('of the environment carries a socket in a tunnel', async () => {
    const target = await open((socket) => socket.end('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n'));
    const proxy = await openProxy(target);
    vi.stubEnv('HTTP_PROXY', proxy.url);
    const upgrade = { ...list, path: '/ws/chat', dialog: [] };
    expect((await wireTo('http://api.example/v1').send(upgrade)).response?.status).toBe(426);
    expect(proxy.asked).toEqual(['CONNECT api.example:80']);
    expect(target.received[0]).toContain('GET /v1/ws/chat HTTP/1.1');
    const { failure, response } = await wireTo('http://closed.example/v1').send(upgrade);
    expect(failure).toEqual({
      kind: 'refused',
      message: 'the proxy answered 403 instead of connecting to closed.example',
    });
    expect(response).toBeUndefined();
    vi.stubEnv('NO_PROXY', 'nowhere.invalid');
    expect((await wireTo('http://nowhere.invalid/v1').send(upgrade)).failure?.kind).toBe('refused');
    expect((await wireTo(target.url).send(upgrade)).response?.status).toBe(426);
    expect(proxy.asked.length).toBe(2);
  });

  test('that refuses the tunnel is told as such', async () => {
    const proxy = await openProxy(await open(ok));
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    const { failure } = await wireTo('https://closed.example/v1').send(list);
    expect(failure).toEqual({
      kind: 'refused',
      message: 'the proxy answered 403 instead of connecting to closed.example',
    });
  });

  test('is passed by for this machine and for what NO_PROXY names', async () => {
    const target = await open(ok);
    const proxy = await openProxy(target);
    vi.stubEnv('HTTP_PROXY', proxy.url);
    vi.stubEnv('NO_PROXY', 'nowhere.invalid');
    expect((await wireTo(target.url).send(list)).response?.status).toBe(200);
    expect((await wireTo('http://nowhere.invalid/v1').send(list)).failure?.kind).toBe('refused');
    expect(proxy.asked).toEqual([]);
  });
});

describe('settings', () => {
  test.each<[string, Partial<LiveSettings>, string]>([
    ['a key with a line end', { key: 'sk-a\nb' }, '--api-key holds a character'],
    ['a disabled key with a line end', { disabledKey: 'sk-a\nb' }, '--disabled-key holds a character'],
    ['a header name with a space', { headers: { 'x team': 'a' } }, '--header x team holds a character'],
    ['a second authorization', { headers: { Authorization: 'Bearer x' } }, 'use --api-key'],
    ['an exhausted key with a line end', { exhaustedKey: 'sk-a\nb' }, '--exhausted-key holds a character'],
    [
      'a failure by a header that HTTP sets',
      { faultHeader: { name: 'Host', values: {} } },
      '--fault-header cannot be host',
    ],
    ['a header that HTTP sets', { headers: { Host: 'x' } }, '--header cannot give host'],
  ])('%s is a usage error', (_name, more, message) => {
    expect(() => wireTo('http://127.0.0.1/v1', more)).toThrow(BadSettings);
    expect(() => wireTo('http://127.0.0.1/v1', more)).toThrow(message);
  });

  test('a proxy variable that is no URL is a usage error', () => {
    vi.stubEnv('HTTPS_PROXY', 'not a url');
    expect(() => wireTo('https://api.example/v1')).toThrow(BadSettings);
  });
});

describe('secrets', () => {
  test('nothing that is recorded holds one, whatever the target echoes', async () => {
    const other = 'cookie-secret-of-a-user';
    const echo = JSON.stringify({
      said: `${key} ${encodeURIComponent(key)} ${Buffer.from(`${key}:`).toString('base64')} ${other}`,
    });
    const target = await open((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nx-echo: ${key}\r\ncontent-length: ${echo.length}\r\n\r\n${echo.slice(0, 20)}`);
      setTimeout(() => socket.write(echo.slice(20)), 20);
    });
    const exchange = await wireTo(target.url, { headers: { cookie: other } }).send({
      ...list,
      path: `/models?key=${key}`,
      method: 'POST',
      body: key,
    });
    expect(exchange.failure).toBeUndefined();
    const recorded = JSON.stringify(exchange) + readReply(exchange).text;
    expect(recorded).not.toContain(key);
    expect(recorded).not.toContain(other);
    expect(readReply(exchange).json).toEqual({ said: '[masked] [masked] [masked] [masked]' });
    expect(exchange.request.path).toBe('/models?key=[masked]');
  });

  test('one inside a compressed body is masked too', async () => {
    const body = gzipSync(JSON.stringify({ said: key }));
    const target = await open((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`);
      socket.write(body);
    });
    const reply = readReply(await wireTo(target.url).send(list));
    expect(reply.json).toEqual({ said: '[masked]' });
    expect(reply.header('content-encoding')).toBeUndefined();
  });
});
