import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { dialects } from '../../../reference-server/dialects.ts';
import { endpointOf, startTarget, unlimited } from '../../engine/test-rig.ts';
import { envFor, of, runUnderStandIn, valid, withTransport } from './test-rig.ts';

/** Each user is a thread, which takes its time on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

/** A WebSocket as the document shows it: `content` until `done`, one message each so many milliseconds. */
async function socketServer({ gapMs = 10, refuse = 0, error = '', hang = false } = {}): Promise<string> {
  const json = (body: object) => JSON.stringify(body);
  const server = createServer((request, response) => {
    const isList = request.url?.endsWith('/models');
    response.end(json(isList ? { data: [{ id: 'm' }] } : { choices: [{ message: {} }], usage: { prompt_tokens: 9 } }));
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    // k6 waits for it for a minute, and for the request it is a failure long before.
    if (hang) return void setTimeout(() => socket.destroy(), 4000);
    const isKnown = request.headers.authorization === 'Bearer sk-test-load' && request.url === '/v1/ws/chat';
    if (refuse > 0 || !isKnown) {
      socket.end(`HTTP/1.1 ${refuse || 401} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('message', async (data) => {
        const { type, max_tokens: most } = JSON.parse(String(data));
        if (type !== 'start') return;
        if (error !== '') return client.send(json({ type: 'error', message: 'no', code: error }));
        for (let token = 0; token < most; token += 1) {
          await new Promise((resolve) => setTimeout(resolve, gapMs));
          client.send(json({ type: 'content', content: 'word ' }));
        }
        client.send(json({ type: 'done', usage: { prompt_tokens: 9, completion_tokens: most } }));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    for (const client of sockets.clients) client.terminate();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

test('websocket: each piece has the time at which it was read', async () => {
  const target = await startTarget({ ttftMs: 30, tokensPerSecond: 100 });
  const { code, samples, result } = await runUnderStandIn('websocket', envFor(target, withTransport('websocket')));
  const { requests, tokens, metrics } = valid(result);
  expect([code, requests.succeeded]).toEqual([0, 6]);
  expect(tokens).toMatchObject({ output: 60, countedBy: 'usage' });
  expect(metrics.icl).toMatchObject({ count: 6 * 9 });
  for (const { value } of of(samples, 'e2e')) expect(value).toBeGreaterThanOrEqual(30 + 9 * 10 - 5);
  expect(of(samples, 'icl').some(({ value }) => !Number.isInteger(value))).toBe(true);
  expect(of(samples, 'ttft').map(({ tags }) => tags.transport)).toEqual(Array(6).fill('websocket'));
});

test.each([
  ['socket-key-in-start', 'as api_key of start'],
  ['socket-key-in-query', 'as api_key of the query'],
] as const)('websocket: %s is found out, and reported', async (dialect, words) => {
  const target = await startTarget({ behaviour: dialects[dialect].behaviour });
  const { code, result } = await runUnderStandIn('websocket', envFor(target, withTransport('websocket')));
  const { requests, notes } = valid(result);
  expect([code, requests.succeeded]).toEqual([0, 6]);
  expect(notes).toContainEqual(expect.stringContaining(words));
});

test('websocket: a refusal of the handshake for a limit is apart', async () => {
  const profile = { ...withTransport('websocket'), requests: 2, thresholds: {} };
  // Three requests prepare the run.
  const target = await startTarget({ limits: { ...unlimited, requestsPerMinute: 3 } });
  const { code, result } = await runUnderStandIn('websocket', envFor(target, profile));
  expect(valid(result).requests).toMatchObject({ sent: 2, succeeded: 0, failed: 0, limited: 2 });
  expect([code, result?.errors]).toEqual([99, []]);
});

test.each<[what: string, server: object, expected: object, errors: object[]]>([
  ['a refusal of the handshake', { refuse: 503 }, { limited: 0, failed: 2 }, [{ kind: 'status 503', count: 2 }]],
  ['a handshake without an answer', { hang: true }, { limited: 0, failed: 2 }, [{ kind: 'timeout', count: 2 }]],
  ['an error for a limit', { error: 'rate_limit_exceeded' }, { limited: 2, failed: 0 }, []],
  ['an error', { error: 'internal_error' }, { limited: 0, failed: 2 }, [{ kind: 'error message', count: 2 }]],
])('websocket: %s', async (_, server, expected, errors) => {
  const target = endpointOf(await socketServer(server));
  const profile = { ...withTransport('websocket'), requests: 2, timeoutSeconds: 2 };
  const { code, result } = await runUnderStandIn('websocket', envFor(target, profile));
  expect(code).toBe(99);
  expect(valid(result).requests).toMatchObject({ sent: 2, succeeded: 0, ...expected });
  expect(result?.errors).toEqual(errors);
});
