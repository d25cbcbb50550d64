import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { endpointOf, jobFor, measureJob, streams } from '../test-rig.ts';

interface Start {
  readonly type: string;
  readonly model: string;
  readonly max_tokens: number;
}

/** Three requests to sockets that answer each `start` in the same way, behind the documented path and key. */
async function against(answer: (socket: WebSocket, start: Start) => void, refuseWith?: number) {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const opened: (string | undefined)[] = [];
  server.on('upgrade', (request, socket, head) => {
    opened.push(`${request.url} ${request.headers.authorization}`);
    if (refuseWith !== undefined) socket.end(`HTTP/1.1 ${refuseWith} No\r\ncontent-length: 0\r\n\r\n`);
    else
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('message', (data) => answer(webSocket, JSON.parse(String(data))));
      });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const endpoint = endpointOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
  const workload = { ...streams, outputTokens: 5, transports: { websocket: 1 } };
  const arrival = { kind: 'constant', rate: 100 } as const;
  const measured = await measureJob(jobFor(endpoint, arrival, { requests: 3, workload, timeoutMs: 2_000 }));
  return { ...measured, opened };
}

const say = (socket: WebSocket, ...messages: readonly object[]) => {
  for (const message of messages) socket.send(JSON.stringify(message));
};
const content = (text: string) => ({ type: 'content', content: text });

test('an answer is measured from its messages', async () => {
  const starts: Start[] = [];
  const { counts, errors, metrics, opened, clientHealth } = await against((socket, start) => {
    starts.push(start);
    say(socket, content(''), content('a'));
    setTimeout(
      () => say(socket, content(' b'), { type: 'done', usage: { prompt_tokens: 8, completion_tokens: 2 } }),
      60,
    );
  });
  expect([counts.succeeded, errors]).toEqual([3, []]);
  expect(counts).toMatchObject({ outputTokens: 6, promptTokens: 24, countedByUsage: 3 });
  expect(starts[0]).toMatchObject({ type: 'start', model: 'stack29/scripted', max_tokens: 5 });
  expect(opened).toEqual(Array(3).fill('/v1/ws/chat Bearer sk-test-load'));
  expect(clientHealth.sockets).toBeGreaterThan(1);
  const { icl } = metrics;
  expect(icl && 'count' in icl ? [icl.count, icl.min > 40] : []).toEqual([3, true]);
});

test.each<[what: string, messages: readonly object[], kind: string]>([
  ['an error', [content('a'), { type: 'error', message: 'No', code: 'internal_error' }], 'error message'],
  ['what has no type', [{ content: 'a' }], 'message is not JSON with a type'],
])('%s ends the request as a failure', async (_, messages, kind) => {
  const { counts, errors } = await against((socket) => say(socket, ...messages));
  expect([counts.failed, errors]).toEqual([3, [[kind, 3]]]);
});

test.each([429, 'rate_limit_exceeded'])('an error with the code %s is a limit, no failure', async (code) => {
  const { counts } = await against((socket) => say(socket, { type: 'error', message: 'No', code }));
  expect(counts).toMatchObject({ limited: 3, failed: 0 });
});

test('a socket that closes in the middle, or never ends, is a failure of its own kind', async () => {
  const closed = await against((socket) => socket.close());
  expect(closed.errors).toEqual([['connection lost', 3]]);
  const silent = await against((socket) => say(socket, content('a')));
  expect(silent.errors).toEqual([['timeout', 3]]);
});

test('a refused upgrade is counted by its status', async () => {
  expect((await against(() => {}, 429)).counts).toMatchObject({ limited: 3, failed: 0 });
  expect((await against(() => {}, 503)).errors).toEqual([['status 503', 3]]);
});
