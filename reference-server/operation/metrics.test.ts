import { expect, onTestFinished, test } from 'vitest';
import type { Backend } from '../backends/backend.ts';
import { scriptedBackend } from '../backends/scripted.ts';
import { keyOfTier } from '../keys/key-entries.ts';
import { type Counter, memoryStore, StoreUnavailable } from '../limits/store.ts';
import type { ServerOptions } from '../server.ts';
import { disabledKey, heldBackend, key, plainChat, startRig, until } from '../test-rig.ts';
import { openSocket, start } from '../websocket/socket-rig.ts';
import { createMetrics } from './metrics.ts';
import { listenForMetrics } from './metrics-listener.ts';

/** A server whose metrics are read over a socket. */
async function startWatched(options: Partial<ServerOptions> = {}) {
  const metrics = createMetrics('29.0.0');
  const rig = await startRig({ ...options, watchers: [metrics.watcher] });
  metrics.observe(rig.state);
  const listener = await listenForMetrics(metrics, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => listener.close());
  const scrape = async () => {
    const response = await fetch(listener.url);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    return response.text();
  };
  /** The value of one series; `undefined` where there is none. */
  const read = async (series: string) => {
    const line = (await scrape()).split('\n').find((text) => text.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  /** A request is over a little after its answer was read. */
  const reads = async (series: string, value: number) => {
    let seen = await read(series);
    while (seen !== value && (seen ?? 0) < value) seen = await read(series);
    expect([series, seen]).toEqual([series, value]);
  };
  return { ...rig, listener, scrape, read, reads };
}

test('every line has the text form of Prometheus, with a help and a type before it', async () => {
  const { chat, scrape, reads } = await startWatched();
  await chat();
  await reads('stack29_chats_total{transport="json",outcome="length"}', 1);
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const odd: string[] = [];
  for (const line of (await scrape()).split('\n').filter((text) => text !== '')) {
    const [, keyword, named = '', words = ''] = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line) ?? [];
    if (keyword === 'TYPE') types.set(named, words);
    if (keyword === 'HELP') helps.add(named);
    if (keyword !== undefined) continue;
    const [, series = ''] = /^(\w+)(\{\w+="[^"\n]*"(,\w+="[^"\n]*")*\})? ([\d.e+-]+|[+-]Inf|nan)$/i.exec(line) ?? [];
    const family = types.has(series) ? series : series.replace(/_(bucket|sum|count)$/, '');
    // Those of Node itself are not all named as they should be.
    const isMisnamed = series.startsWith('stack29_') && series.endsWith('_total') !== (types.get(family) === 'counter');
    if (!types.has(family) || !helps.has(family) || isMisnamed) odd.push(line);
  }
  expect(odd).toEqual([]);
  expect(types.get('process_resident_memory_bytes')).toBe('gauge');
});

test('requests are counted by route, method and status, whatever clients send', async () => {
  const { send, raw, reads, scrape } = await startWatched();
  await send('GET', '/models');
  await send('GET', '/models/a-name-of-a-client');
  await send('GET', '/a-path-of-a-client');
  await send('PROPFIND', '/models');
  await send('GET', '/models', {}, 'Bearer a-key-of-a-client');
  await raw('GARBAGE\r\n\r\n');
  const counted = (labels: string) => reads(`stack29_http_requests_total{${labels}}`, 1);
  await counted('route="/v1/models",method="GET",status="200"');
  await counted('route="/v1/models/{id}",method="GET",status="404"');
  await counted('route="none",method="GET",status="404"');
  await counted('route="none",method="other",status="405"');
  await counted('route="/v1/models",method="GET",status="401"');
  await counted('route="none",method="other",status="400"');
  expect(await scrape()).not.toContain('of-a-client');
});

test('tokens and times are those of each transport', async () => {
  const { chat, url, read, reads } = await startWatched();
  await chat();
  await chat({ stream: true });
  const socket = await openSocket(url);
  socket.say(start({ max_tokens: 1 }));
  await socket.until('done');
  for (const transport of ['json', 'sse', 'websocket']) {
    await reads(`stack29_chats_total{transport="${transport}",outcome="length"}`, 1);
    expect(await read(`stack29_time_to_first_token_seconds_count{transport="${transport}"}`)).toBe(1);
    expect(await read(`stack29_chat_duration_seconds_count{transport="${transport}"}`)).toBe(1);
  }
  expect(await read('stack29_time_per_output_token_seconds_count{transport="sse"}')).toBe(1);
  // One token has no pace.
  expect(await read('stack29_time_per_output_token_seconds_count{transport="websocket"}')).toBe(undefined);
  expect([
    await read('stack29_tokens_total{type="prompt"}'),
    await read('stack29_tokens_total{type="completion"}'),
  ]).toEqual([9, 13]);
});

test('times are measured from the request, and from the start on a socket', async () => {
  const { backend, letGo } = heldBackend();
  const { chat, url, state, read, reads } = await startWatched({ backend, slots: 1 });
  const begin = performance.now();
  const first = chat();
  await until(() => state.slots.busy === 1);
  const { say, until: receive } = await openSocket(url);
  say(start());
  await until(() => state.slots.queued === 1);
  const since = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const waited = (performance.now() - since) / 1000;
  letGo();
  await receive('done');
  await first;
  await reads('stack29_chats_total{transport="websocket",outcome="stop"}', 1);
  // What it waited for the slot is part of what its client waited.
  const toFirst = await read('stack29_time_to_first_token_seconds_sum{transport="websocket"}');
  expect(toFirst).toBeGreaterThanOrEqual(waited);
  const perToken = await read('stack29_time_per_output_token_seconds_sum{transport="json"}');
  expect(perToken).toBeGreaterThanOrEqual(waited / 2);
  expect(perToken).toBeLessThan((performance.now() - begin) / 2_000);
});

test('the queue, the slots and the sockets are read when they are asked for', async () => {
  const { backend, letGo } = heldBackend();
  const { chat, url, state, read, reads } = await startWatched({ backend, slots: 1, queueSize: 1 });
  const running = [chat(), chat()];
  await until(() => state.slots.queued === 1);
  const { socket } = await openSocket(url);
  expect((await chat()).status).toBe(503);
  for (const [name, value] of Object.entries({
    ready: 1,
    slots: 1,
    slots_busy: 1,
    queue_length: 1,
    websocket_connections: 1,
  })) {
    expect([name, await read(`stack29_${name}`)]).toEqual([name, value]);
  }
  expect(await read('stack29_refusals_total{reason="queue"}')).toBe(1);
  letGo();
  await Promise.all(running);
  socket.terminate();
  await until(() => state.sockets === 0);
  expect([await read('stack29_slots_busy'), await read('stack29_websocket_connections')]).toEqual([0, 0]);
  await reads('stack29_http_requests_total{route="/v1/ws/chat",method="GET",status="101"}', 1);
});

test('what the state of the server refuses is counted by what is down, over REST and on sockets', async () => {
  const store = memoryStore(Date.now, 60);
  let isAway = false;
  const reaching =
    <Asked extends readonly unknown[], Answer>(ask: (...asked: Asked) => Promise<Answer>) =>
    async (...asked: Asked) => {
      if (isAway) throw new StoreUnavailable('the store is away');
      return ask(...asked);
    };
  const reached = (counter: Counter): Counter => ({ add: reaching(counter.add), read: reaching(counter.read) });
  let load = (_: Backend) => {};
  const backend = new Promise<Backend>((resolve) => {
    load = resolve;
  });
  const { chat, send, url, ready, read, reads } = await startWatched({
    backend,
    store: { ...store, requests: reached(store.requests), tokens: reached(store.tokens) },
  });
  const refused = (route: string, count: number) =>
    reads(`stack29_http_requests_total{route="${route}",method="POST",status="503"}`, count);
  const reasons = async (...names: readonly string[]) =>
    Promise.all(names.map((reason) => read(`stack29_refusals_total{reason="${reason}"}`)));
  const route = '/v1/chat/completions';

  await chat();
  await refused(route, 1);
  expect(await reasons('loading', 'restarting', 'store')).toEqual([1, 0, 0]);

  const model: Backend & { backInMs?: number } = { ...scriptedBackend(), backInMs: 100 };
  load(model);
  await ready;
  const socket = await openSocket(url);
  const { status, json, headers } = await chat();
  expect([status, headers.get('retry-after'), json.error]).toEqual([
    ...[503, '1'],
    expect.objectContaining({ message: expect.stringContaining('the model is starting again after a crash') }),
  ]);
  socket.say(start());
  expect(await socket.until('error')).toEqual([expect.objectContaining({ code: 'service_unavailable' })]);
  expect((await send('GET', '/../health', {}, '')).status).toBe(503);
  await refused(route, 2);
  expect(await reasons('loading', 'restarting', 'store')).toEqual([1, 3, 0]);

  delete model.backInMs;
  isAway = true;
  expect((await chat()).status).toBe(503);
  socket.say(start());
  expect(await socket.until('error')).toEqual([expect.objectContaining({ code: 'service_unavailable' })]);
  await refused(route, 3);
  expect(await reasons('loading', 'restarting', 'store')).toEqual([1, 3, 2]);
  expect(await read('stack29_websocket_errors_total{code="service_unavailable"}')).toBe(2);
});

test('restarts of the model are counted', async () => {
  const backend = { ...scriptedBackend(), restarts: 0 };
  const { read } = await startWatched({ backend });
  expect(await read('stack29_model_restarts_total')).toBe(0);
  backend.restarts = 29;
  expect(await read('stack29_model_restarts_total')).toBe(29);
  expect(await read('stack29_model_restarts_total')).toBe(29);
});

test('what a limit refuses is counted by the limit', async () => {
  const { backend, letGo } = heldBackend();
  const limits = { requestsPerMinute: 4, tokensPerDay: 10, concurrent: 1 };
  const keys = [{ key, limits, disabled: false }, keyOfTier(disabledKey, 'free', true)];
  const { chat, state, read } = await startWatched({ backend, keys });
  const first = chat();
  await until(() => state.slots.busy === 1);
  expect((await chat()).status).toBe(429);
  letGo();
  await first;
  await chat();
  expect([(await chat()).status, (await chat()).status]).toEqual([429, 429]);
  for (const reason of ['requests', 'tokens', 'concurrency']) {
    expect([reason, await read(`stack29_refusals_total{reason="${reason}"}`)]).toEqual([reason, 1]);
  }
});

test('a chat whose client leaves, and one that fails, are told apart', async () => {
  const { backend, letGo } = heldBackend();
  const { url, state, send, reads } = await startWatched({ backend, allowFaults: true });
  const { say, socket } = await openSocket(url);
  say(start());
  await until(() => state.slots.busy === 1);
  socket.terminate();
  await reads('stack29_chats_total{transport="websocket",outcome="aborted"}', 1);
  expect(state.slots.busy).toBe(0);
  letGo();
  const headers = { 'content-type': 'application/json', 'x-stack29-fault': 'cut-stream' };
  await send('POST', '/chat/completions', { headers, body: JSON.stringify({ ...plainChat, stream: true }) });
  await reads('stack29_chats_total{transport="sse",outcome="error"}', 1);
});

test('the listener has nothing but metrics, for who reads', async () => {
  const { listener } = await startWatched();
  expect((await fetch(listener.url.replace('metrics', 'v1/models'))).status).toBe(404);
  expect((await fetch(listener.url, { method: 'POST' })).status).toBe(405);
  expect((await fetch(listener.url, { method: 'HEAD' })).status).toBe(200);
});
