import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Delivery, RecordedLine } from '../../specs/evidence.ts';
import { openMask } from '../transport/mask.ts';
import { BadSettings, NotSent } from '../transport/wire.ts';
import { openInbox, openReplayInbox } from './inbox.ts';
import { openWebhookListener, type WebhookListener } from './listener.ts';

let listener: WebhookListener;
beforeEach(async () => {
  listener = await openWebhookListener('127.0.0.1', 0);
});
afterEach(() => listener.close());

const secret = 'sk-0123456789';

function inbox(timeoutMs = 5_000, record?: (line: Delivery) => void) {
  return openInbox(listener, { mask: openMask([secret]), timeoutMs, startedAt: performance.now(), record });
}

const post = (body: string | Buffer, url = listener.url, method = 'POST') =>
  fetch(url, { method, body, headers: { 'content-type': 'application/json', authorization: 'Bearer abc' } });

test('a delivery is taken in whole, with its secrets masked', async () => {
  const { wait } = inbox().open('a test', () => {});
  expect((await post(`{"event":"é","key":"${secret}"}`, `${listener.url}?from=here`)).status).toBe(200);
  const [delivery, ...more] = await wait((taken) => taken.length > 0);
  expect(more).toEqual([]);
  expect(delivery).toMatchObject({ method: 'POST', path: '/stack29-webhook?from=here', answered: 200 });
  expect(delivery?.body.text).toBe('{"event":"é","key":"[masked]"}');
  expect(delivery?.headers).toContainEqual(['authorization', 'Bearer [masked]']);
  expect(delivery?.headers).toContainEqual(['content-type', 'application/json']);
});

test('bytes that are not text are kept as they are', async () => {
  const { wait } = inbox().open('a test', () => {});
  await post(Buffer.from([0x7b, 0xff]));
  expect((await wait((taken) => taken.length > 0))[0]?.body.base64).toBe('e/8=');
});

test('one delivery is refused on demand', async () => {
  const { refuseNext } = inbox().open('a test', () => {});
  refuseNext();
  expect([(await post('{}')).status, (await post('{}')).status]).toEqual([503, 200]);
});

test('a look, and what goes elsewhere, are no deliveries', async () => {
  const { wait } = inbox(50).open('a test', () => {});
  const looks = ['GET', 'HEAD', 'OPTIONS'].map((method) => fetch(listener.url, { method }));
  expect((await Promise.all(looks)).map(({ status }) => status)).toEqual([204, 204, 204]);
  expect((await post('{}', listener.url.replace('webhook', 'other'))).status).toBe(404);
  expect(await wait(() => false)).toEqual([]);
});

test('a body without end is not taken in', async () => {
  const { wait } = inbox(50).open('a test', () => {});
  const answer = await post(Buffer.alloc(3 * 1024 * 1024, 32)).catch(() => undefined);
  expect(answer?.status ?? 413).toBe(413);
  expect(await wait(() => false)).toEqual([]);
});

test('a sender that leaves in the middle changes nothing', async () => {
  const { wait } = inbox().open('a test', () => {});
  const socket = connect(Number(new URL(listener.url).port), '127.0.0.1');
  socket.write('POST /stack29-webhook HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{"event":');
  await once(socket, 'connect');
  socket.destroy();
  await post('{}');
  expect(await wait((taken) => taken.length > 0)).toHaveLength(1);
});

test('more than a run keeps is refused', { timeout: 60_000 }, async () => {
  const { wait } = inbox(0).open('a test', () => {});
  const body = Buffer.alloc(1024 * 1024, 32);
  const statuses = new Set<number>();
  for (let sent = 0; sent < 70; sent += 1) statuses.add((await post(body)).status);
  expect([...statuses]).toEqual([200, 503]);
  expect(await wait(() => true)).toHaveLength(64);
});

test('a wait ends when enough has come, or when its time is up', async () => {
  const { wait } = inbox().open('a test', () => {});
  const enough = wait((taken) => taken.length === 2);
  await post('{"n":1}');
  await post('{"n":2}');
  expect(await enough).toHaveLength(2);
  expect(await wait(() => false, 10)).toHaveLength(2);
});

test('a replay gives each wait what it gave', async () => {
  const lines: RecordedLine[] = [];
  const record = (line: RecordedLine) => {
    lines.push(line);
  };
  const live = inbox(5_000, record).open('a test', record);
  await post('{"n":1}');
  const first = await live.wait((taken) => taken.length === 1);
  await post('{"n":2}');
  const second = await live.wait((taken) => taken.length === 2);
  const again = openReplayInbox(lines).open('a test', () => {});
  again.refuseNext();
  expect([await again.wait(() => false), await again.wait(() => false)]).toEqual([first, second]);
  await expect(again.wait(() => false)).rejects.toThrow(NotSent);
});

test('an address that is taken is a usage error', async () => {
  const { port } = new URL(listener.url);
  const second = openWebhookListener('127.0.0.1', Number(port));
  await expect(second).rejects.toThrow(BadSettings);
  await expect(second).rejects.toThrow(
    `--webhook-listen 127.0.0.1:${port} cannot be listened on: address already in use`,
  );
});

test('an address that stands for all is told by a name that can be reached', async () => {
  const everywhere = await openWebhookListener('0.0.0.0', 0);
  expect(new URL(everywhere.url).hostname).not.toBe('0.0.0.0');
  await everywhere.close();
});
