import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Backend } from './backends/backend.ts';
import { scriptedBackend } from './backends/scripted.ts';
import { keyOfTier } from './keys/key-entries.ts';
import { createLog } from './operation/log.ts';
import { createMetrics } from './operation/metrics.ts';
import { type Transport, transports } from './operation/watcher.ts';
import type { ServerOptions } from './server.ts';
import { key, plainChat, startRig, until } from './test-rig.ts';
import { parseWebhook } from './webhooks/target.ts';
import { openSocket, start } from './websocket/socket-rig.ts';

// Each moves many megabytes.
vi.setConfig({ testTimeout: 120_000 });

/** Far more than the system keeps for a client that reads nothing. */
const manyTokens = 64;
const longToken = 'x'.repeat(2 ** 20);

/** A megabyte a token. */
function largeBackend() {
  const state = { made: 0 };
  const backend: Backend = {
    ...scriptedBackend(),
    async *generate({ maxTokens }) {
      for (let token = 0; token < maxTokens; token += 1) {
        yield { type: 'text', text: longToken };
        state.made += 1;
      }
      yield { type: 'end', finishReason: 'length', completionTokens: maxTokens };
    },
  };
  return { backend, state };
}

interface Unread {
  /** Reads it all, with rests, and gives its length. @param restMs how long it rests after every eight megabytes */
  readonly read: (restMs?: number) => Promise<number>;
  /** Sends a little more that is no answer's end. */
  readonly send: () => void;
}

/** Pauses a source after every eight megabytes. @returns is told of each piece of them */
function resting(source: { pause(): void; resume(): void }, restMs: number): (bytes: number) => void {
  let sinceRest = 0;
  return (bytes) => {
    sinceRest += bytes;
    if (restMs === 0 || sinceRest < 2 ** 23) return;
    sinceRest = 0;
    source.pause();
    setTimeout(() => source.resume(), restMs);
  };
}

/** A client that asks for a long answer and reads none of it. */
async function askUnread(url: string, transport: Transport): Promise<Unread> {
  if (transport === 'websocket') {
    const { socket, say, until: receive } = await openSocket(url);
    socket.pause();
    say(start({ max_tokens: manyTokens }));
    const read = async (restMs = 0) => {
      const rest = resting(socket, restMs);
      socket.on('message', (data) => rest(String(data).length));
      socket.resume();
      return (await receive('done')).reduce((sum, { content = '' }) => sum + content.length, 0);
    };
    return { read, send: () => say({ type: 'ping' }) };
  }
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const body = JSON.stringify({ ...plainChat, max_tokens: manyTokens, stream: transport === 'sse' });
  const head = [
    ...['POST /v1/chat/completions HTTP/1.1', 'Host: a', 'Content-Type: application/json'],
    ...[`Authorization: Bearer ${key}`, `Content-Length: ${body.length}`],
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.on('error', () => {});
  // The beginning of a next request, whose header goes on.
  socket.write('GET /v1/models HTTP/1.1\r\nX-Long: ');
  const read = async (restMs = 0) => {
    let length = 0;
    const rest = resting(socket, restMs);
    socket.on('data', (bytes) => {
      length += bytes.length;
      rest(bytes.length);
    });
    socket.write('\r\nConnection: close\r\n\r\n');
    await once(socket, 'end');
    return length;
  };
  return { read, send: () => socket.write('a') };
}

async function startWatched(options: Partial<ServerOptions>) {
  let text = '';
  const log = createLog('info', (line) => {
    text += line;
  });
  const metrics = createMetrics('29.0.0');
  const rig = await startRig({ ...options, watchers: [log.watcher, metrics.watcher] });
  const lines = (): { readonly msg: string; readonly cut?: boolean }[] =>
    text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  return { ...rig, said: (msg: string) => lines().filter((line) => line.msg === msg), metrics };
}

describe.each(transports)('a client that reads late or never (%s)', (transport) => {
  test('has its answer made, and keeps nobody from the slot', async () => {
    const { backend, state: model } = largeBackend();
    const limits = { requestsPerMinute: 100, tokensPerDay: 100_000, concurrent: 1 };
    const keys = [{ key, disabled: false, limits }, keyOfTier('sk-test-other', 'free')];
    const { url, chat, state } = await startRig({ backend, keys, slots: 1 });
    const { read } = await askUnread(url, transport);
    await until(() => model.made === manyTokens && state.slots.busy === 0);
    const other = await chat({ max_tokens: 1 }, 'Bearer sk-test-other');
    expect(other.json.choices[0].message.content).toBe(longToken);
    expect(state.underWay).toBe(1);
    // A stream has the place of its account for as long as it is read.
    expect((await chat({ max_tokens: 1 })).status).toBe(transport === 'json' ? 200 : 429);
    expect(await read()).toBeGreaterThanOrEqual(manyTokens * longToken.length);
    expect((await chat({ max_tokens: 1 })).status).toBe(200);
  });

  test('is not cut once it reads, though it takes longer than the send timeout', async () => {
    const { url, said } = await startWatched({ backend: largeBackend().backend, sendTimeoutMs: 1_000 });
    const { read } = await askUnread(url, transport);
    const since = performance.now();
    expect(await read(200)).toBeGreaterThanOrEqual(manyTokens * longToken.length);
    expect(performance.now() - since).toBeGreaterThan(1_000);
    expect(said('reader cut')).toEqual([]);
  });

  test('is cut after the send timeout, which the log and a metric tell, and webhooks hear of its answer', async () => {
    const told: string[] = [];
    const { url, state, said, metrics } = await startWatched({
      backend: largeBackend().backend,
      sendTimeoutMs: 200,
      webhook: parseWebhook({ webhook_url: 'http://127.0.0.1:9' }, 'the test'),
      behaviour: {
        tell({ event }) {
          told.push(event);
          return [];
        },
      },
    });
    const { send } = await askUnread(url, transport);
    // What it sends meanwhile shows that it is there, and not that it reads.
    const sending = setInterval(send, 20);
    onTestFinished(() => clearInterval(sending));
    await until(() => state.underWay === 1);
    await until(() => state.underWay === 0);
    const [began] = said('request began');
    const cut = {
      ...began,
      level: 'warn',
      time: expect.any(String),
      msg: 'reader cut',
      durationMs: expect.any(Number),
    };
    expect(said('reader cut')).toEqual([cut]);
    expect(said(transport === 'websocket' ? 'socket closed' : 'request ended')).toEqual([
      expect.objectContaining({ cut: true }),
    ]);
    expect((await metrics.read()).text).toMatch(/^stack29_readers_cut_total 1$/m);
    await until(() => told.length > 0);
    expect(told).toEqual(['generation.done']);
  });
});

test('a client whose answer takes longer than the send timeout to be made is not cut', async () => {
  const backend = scriptedBackend({ ttftMs: 300, tokensPerSecond: 5 });
  const { url, chat, said } = await startWatched({ backend, sendTimeoutMs: 20 });
  const socket = await openSocket(url);
  socket.say(start({ max_tokens: 3 }));
  expect(
    (await Promise.all([chat({ max_tokens: 3 }), chat({ max_tokens: 3, stream: true })])).map(({ status }) => status),
  ).toEqual([200, 200]);
  await socket.until('done');
  expect(said('reader cut')).toEqual([]);
});

test('a stop is heard from a client that reads nothing', async () => {
  let made = 0;
  let isAborted = false;
  const backend: Backend = {
    ...scriptedBackend(),
    async *generate(_, signal) {
      for (; made < manyTokens; made += 1) yield { type: 'text', text: longToken };
      if (!signal.aborted) await once(signal, 'abort');
      isAborted = true;
    },
  };
  const { url, state } = await startRig({ backend });
  const { socket, say, until: receive } = await openSocket(url);
  socket.pause();
  say(start());
  await until(() => made === manyTokens);
  say({ type: 'stop' });
  await until(() => isAborted && state.slots.busy === 0);
  socket.resume();
  const messages = await receive('done');
  // What was made and not sent yet is not sent any more, and counts.
  expect(messages.length).toBeLessThan(manyTokens);
  expect(messages.at(-1)).toMatchObject({ finish_reason: 'stop', usage: { completion_tokens: manyTokens } });
});
