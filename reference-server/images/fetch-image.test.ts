import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { imageFetcher } from './fetch-image.ts';

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mP4z8CAFTEMLQkAKP8/wc53yE8AAAAASUVORK5CYII=',
  'base64',
);

/** A server on an address of this machine, with what it was asked. */
async function openHost(answer: RequestListener, host = '127.0.0.1') {
  const asked: (string | undefined)[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    asked.push(request.url);
    answer(request, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await once(server.listen(0, host), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { port, asked, connections: () => connections };
}

const sendImage: RequestListener = (_, response) => response.setHeader('content-type', 'image/png').end(png);
const signal = new AbortController().signal;
const onLoopback = (settings = {}) => imageFetcher({ allowedAddresses: ['127.0.0.1'], ...settings });

test('the bytes of an image come as they are', async () => {
  const { port } = await openHost(sendImage);
  expect(await onLoopback()(`http://127.0.0.1:${port}/a.png`, signal)).toEqual(png);
});

test('a redirect is followed', async () => {
  const { port, asked } = await openHost((request, response) =>
    request.url === '/a' ? response.writeHead(302, { location: '/b' }).end() : sendImage(request, response),
  );
  expect(await onLoopback()(`http://127.0.0.1:${port}/a`, signal)).toEqual(png);
  expect(asked).toEqual(['/a', '/b']);
});

describe('an address that is not public is never connected to', () => {
  test.each([
    'http://127.0.0.1:PORT/',
    'http://localhost:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://0.0.0.0:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'https://127.0.0.1:PORT/',
  ])('%s', async (url) => {
    const { port, connections } = await openHost(sendImage);
    await expect(imageFetcher()(url.replace('PORT', String(port)), signal)).rejects.toThrow('does not ask');
    expect(connections()).toBe(0);
  });

  test.each([
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://100.64.0.1/',
    'http://[::1]/',
    'http://[fe80::1]/',
    'http://[fc00::1]/',
    'http://[64:ff9b::7f00:1]/',
  ])('%s', async (url) => {
    const begun = performance.now();
    await expect(imageFetcher({ timeoutMs: 5_000 })(url, signal)).rejects.toThrow('does not ask');
    // A connection that is tried ends in the time limit.
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test('behind a redirect', async () => {
    const inner = await openHost(sendImage, '127.0.0.2');
    const { port } = await openHost((_, response) =>
      response.writeHead(302, { location: `http://127.0.0.2:${inner.port}/` }).end(),
    );
    await expect(onLoopback()(`http://127.0.0.1:${port}/`, signal)).rejects.toThrow('does not ask');
    expect(inner.connections()).toBe(0);
  });
});

const refusals: readonly [what: string, answer: RequestListener, words: string][] = [
  ['text', (_, response) => response.setHeader('content-type', 'text/html').end('a'), 'no image'],
  ['a body without a type', (_, response) => response.end(png), 'no image'],
  ['a missing page', (_, response) => response.writeHead(404, { 'content-type': 'image/png' }).end(), 'with 404'],
  ['a redirect to nowhere', (_, response) => response.writeHead(302).end(), 'to nowhere'],
  ['redirects without end', (_, response) => response.writeHead(302, { location: '/' }).end(), 'more than 3 times'],
  [
    'a redirect to a file',
    (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    'neither plain http nor https',
  ],
  [
    'more bytes than it may have',
    (_, response) => response.setHeader('content-type', 'image/png').end(Buffer.alloc(2000)),
    'more than 1000 bytes',
  ],
  [
    'a body that never ends',
    (_, response) => response.setHeader('content-type', 'image/png').write('a'),
    'within 0.5 seconds',
  ],
  ['no answer', () => {}, 'within 0.5 seconds'],
];

test.each(refusals)('%s is no image', async (_, answer, words) => {
  const { port } = await openHost(answer);
  const fetchImage = onLoopback({ largest: 1000, timeoutMs: 500 });
  await expect(fetchImage(`http://127.0.0.1:${port}/`, signal)).rejects.toThrow(words);
});
