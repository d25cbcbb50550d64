import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { WebhookPayload } from '../../specs/wire.ts';
import { keyOfTier, parseKeys } from '../keys/key-entries.ts';
import { key, startRig } from '../test-rig.ts';
import { executeCode } from '../tools/execute-code.ts';
import { BadWebhook, parseWebhook } from './target.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly payload: WebhookPayload;
}

const secret = `whsec_${Buffer.from('a secret that nobody knows').toString('base64')}`;

/** A receiver that answers with each of some statuses, then with the last; 0 is no answer at all. */
async function startReceiver(...statuses: readonly number[]) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const status = statuses[Math.min(received.length, statuses.length - 1)] ?? 204;
    received.push({ headers: request.headers, body, payload: JSON.parse(body) });
    server.emit('received');
    if (status > 0) response.writeHead(status).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return {
    url,
    received,
    async until(count: number) {
      while (received.length < count) await once(server, 'received');
      return received;
    },
  };
}

const idOf = (delivery: Received | undefined) => Object(delivery?.payload.data).id;

const events = (received: readonly Received[]) => received.map(({ payload }) => payload.event);

/** A chat that lets the model write nothing but this program, which the server runs. */
const forced = (code: string) => ({
  max_tokens: 512,
  tools: [
    {
      type: 'function',
      function: {
        name: 'execute_code',
        parameters: {
          type: 'object',
          properties: { code: { type: 'string', enum: [code] }, language: { type: 'string', enum: ['javascript'] } },
          required: ['code', 'language'],
        },
      },
    },
  ],
  tool_choice: { type: 'function', function: { name: 'execute_code' } },
});

describe('deliveries', () => {
  test('tell of the end of a chat and of a stream, with the id of each', async () => {
    const { url, until } = await startReceiver();
    const { chat } = await startRig({ webhook: parseWebhook({ webhook_url: url }, 'a test') });
    const { json } = await chat();
    const stream = await chat({ stream: true });
    const [one, other] = await until(2);
    const { id, model, usage } = json;
    expect(one?.payload).toEqual({
      event: 'generation.done',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      data: { id, model, finish_reason: 'length', usage },
    });
    expect(stream.text).toContain(JSON.stringify(idOf(other)));
    expect(one?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(one?.headers).not.toHaveProperty('webhook-signature');
  });

  test('are signed so that a library of the standard accepts them, and nothing else', async () => {
    const { url, until } = await startReceiver();
    const { chat } = await startRig({ webhook: parseWebhook({ webhook_url: url, secret }, 'a test') });
    await chat();
    const [delivery] = await until(1);
    const { body = '', headers = {} } = delivery ?? {};
    const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(new Webhook(secret).verify(body, signed)).toEqual(JSON.parse(body));
    expect(() => new Webhook(secret).verify(`${body} `, signed)).toThrow('No matching signature found');
    expect(() => new Webhook(`whsec_${Buffer.alloc(24).toString('base64')}`).verify(body, signed)).toThrow();
  });

  test('tell of tool calls before the end of their chat', async () => {
    const { url, until } = await startReceiver();
    const { chat } = await startRig({
      webhook: parseWebhook({ webhook_url: url }, 'a test'),
      tools: executeCode(),
    });
    expect((await chat(forced('6 * 7'))).status).toBe(200);
    expect((await chat(forced('nowhere'))).status).toBe(422);
    const received = await until(5);
    expect(events(received)).toEqual([
      'tool_call.started',
      'tool_call.completed',
      'generation.done',
      'tool_call.started',
      'tool_call.failed',
    ]);
    const [started, completed, , , failed] = received.map(({ payload }) => payload.data);
    expect(completed).toEqual({ ...started, execution_time_ms: expect.any(Number), result: '42\n' });
    expect(failed).toMatchObject({ tool_name: 'execute_code', error: expect.stringContaining('nowhere') });
  });

  test('that fail come again with the same id, and those that follow wait for them', async () => {
    const { url, until } = await startReceiver(500, 429, 200);
    const { chat } = await startRig({ webhook: parseWebhook({ webhook_url: url, secret }, 'a test'), firstRetryMs: 1 });
    const answers = [await chat(), await chat()];
    const [first, second] = answers.map(({ json }) => json.id);
    const ids = answers.map(({ headers }) => headers.get('x-request-id'));
    const received = await until(4);
    const idsOf = (name: string) => received.map(({ headers }) => headers[name]);
    expect(received.map(idOf)).toEqual([first, first, first, second]);
    expect(new Set(idsOf('webhook-id')).size).toBe(2);
    expect(idsOf('x-request-id')).toEqual([ids[0], ids[0], ids[0], ids[1]]);
  });

  test('that are refused for good do not come again', async () => {
    const { url, until } = await startReceiver(400, 200);
    const faults: unknown[] = [];
    const { chat } = await startRig({
      webhook: parseWebhook({ webhook_url: url }, 'a test'),
      firstRetryMs: 1,
      onFault: (error) => faults.push(error),
    });
    const ids = [(await chat()).json.id, (await chat()).json.id];
    const received = await until(2);
    expect(received.map(idOf)).toEqual(ids);
    expect(String(faults[0])).toMatch(
      /generation\.done could not be delivered to 127\.0\.0\.1:\d+: it answered with 400/,
    );
  });

  test('follow no redirect', async () => {
    const { url, received, until } = await startReceiver(307);
    const { chat } = await startRig({ webhook: parseWebhook({ webhook_url: url }, 'a test'), firstRetryMs: 1 });
    await chat();
    await until(2);
    expect(received.length).toBeGreaterThan(1);
  });

  test('keep no chat and no end of the server waiting, whatever their receiver does', async () => {
    const { url, until } = await startReceiver(0);
    const { chat, close } = await startRig({ webhook: parseWebhook({ webhook_url: url }, 'a test') });
    for (let sent = 0; sent < 20; sent += 1) expect((await chat()).status).toBe(200);
    expect(await until(1)).toHaveLength(1);
    const start = performance.now();
    await close();
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test('go nowhere where nobody listens, and harm nothing', async () => {
    const { url } = await startReceiver();
    const nobody = url.replace(/:\d+/, ':9');
    const faults: unknown[] = [];
    const { chat, close } = await startRig({
      webhook: parseWebhook({ webhook_url: nobody }, 'a test'),
      firstRetryMs: 1,
      onFault: (error) => faults.push(error),
    });
    expect((await chat()).status).toBe(200);
    await close();
    expect(String(faults[0])).toContain('generation.done could not be delivered to 127.0.0.1:9');
  });
});

describe('a webhook', () => {
  test('of a key takes the events that it names, and no others', async () => {
    const fallback = await startReceiver();
    const own = await startReceiver();
    const webhook = { webhook_url: own.url, events: ['tool_call.started', 'tool_call.failed'] };
    const keys = [
      ...parseKeys(JSON.stringify([{ key, tier: 'free', webhook }]), 'keys.json'),
      keyOfTier('sk-other', 'free'),
    ];
    const { chat, close } = await startRig({
      keys,
      webhook: parseWebhook({ webhook_url: fallback.url }, 'a test'),
      tools: executeCode(),
    });
    await chat(forced('1'));
    await chat({}, 'Bearer sk-other');
    await close();
    expect([events(own.received), events(fallback.received)]).toEqual([['tool_call.started'], ['generation.done']]);
  });

  test.each([
    [{ webhook_url: 'example.com' }, 'webhook_url in here must be a URL that begins with http:// or https://'],
    [{ webhook_url: 'file:///etc/passwd' }, 'must be a URL that begins with http'],
    [{ webhook_url: undefined }, 'must be a URL'],
    [{ webhook_url: 'https://me:hush@example.com' }, 'must hold neither a user nor a password'],
    [{ webhook_url: 'https://example.com', events: [] }, 'events in here must be an array of one or more of tool_call'],
    [{ webhook_url: 'https://example.com', events: ['generation.begun'] }, 'events in here must be'],
    [{ webhook_url: 'https://example.com', secret: 'hush-hush' }, 'the secret in here must be whsec_'],
  ])('%j is refused with what is wrong', (given, words) => {
    expect(() => parseWebhook(given, 'here')).toThrow(BadWebhook);
    expect(() => parseWebhook(given, 'here')).toThrow(words);
    expect(() => parseWebhook(given, 'here')).not.toThrow('hush');
  });

  test('in a file of keys is checked with it', () => {
    const file = (webhook: unknown) => JSON.stringify([{ key, tier: 'free', webhook }]);
    expect(() => parseKeys(file({ webhook_url: 'nowhere' }), 'keys.json')).toThrow(
      'webhook_url in webhook of entry 1 of keys.json must be a URL',
    );
    expect(() => parseKeys(file({ url: 'https://example.com' }), 'keys.json')).toThrow(
      'webhook of entry 1 of keys.json must be an object with no other members than webhook_url, events, secret',
    );
  });
});
