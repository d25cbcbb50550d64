import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { LoadWorkload } from '../../specs/wire.ts';
import { endpointOf, jobFor, measureJob, startTarget, streams } from './test-rig.ts';

async function listen(server: ReturnType<typeof createServer> | ReturnType<typeof createTcpServer>): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

/** Three requests to a server that answers each in the same way. */
async function against(answer: RequestListener, workload: LoadWorkload = streams, timeoutMs = 20_000) {
  const url = await listen(
    createServer((request, response) => request.resume().on('end', () => answer(request, response))),
  );
  const { counts, errors, metrics } = await measureJob(
    jobFor(endpointOf(url), { kind: 'constant', rate: 100 }, { requests: 3, workload, timeoutMs }),
  );
  return { counts, errors, metrics };
}

const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
const content = (text: string | null, role?: string) =>
  event({ choices: [{ index: 0, delta: { content: text, role } }] });
const finish = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const jsonAnswers: LoadWorkload = { ...streams, transports: { json: 1 } };

test.each<[what: string, events: string, kind: string]>([
  ['ends without a finish', content('a') + content('b'), 'stream ended early'],
  ['carries an error', content('a') + event({ error: { message: 'out of memory' } }), 'error in the stream'],
  ['holds what is not JSON', `data: {"choices":[\n\n${finish}`, 'event is not JSON'],
  ['is empty', '', 'stream ended early'],
])('a stream that %s is a failure of its own kind', async (_, events, kind) => {
  const { counts, errors } = await against((_request, response) => response.end(events));
  expect(counts).toMatchObject({ sent: 3, succeeded: 0, failed: 3 });
  expect(errors).toEqual([[kind, 3]]);
});

test('a finish without [DONE] is an answer, and a role or an empty text is no token', async () => {
  const body = content('', 'assistant') + content(null) + content('a') + content('b') + finish;
  const { counts } = await against((_request, response) => response.end(body));
  expect(counts).toMatchObject({ succeeded: 3, outputTokens: 6 });
});

test('bytes may be split anywhere, within a character too', async () => {
  const body = Buffer.from(content('ä🙂') + content('b') + finish);
  const { counts, errors } = await against(async (_request, response) => {
    for (const byte of body) {
      response.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    response.end();
  });
  expect([counts.succeeded, counts.outputTokens, errors]).toEqual([3, 6, []]);
});

test.each<[status: number, counts: object, errors: readonly unknown[]]>([
  [429, { limited: 3, failed: 0 }, []],
  [503, { limited: 0, failed: 3 }, [['status 503', 3]]],
])('status %i is counted for what it is, and its latency nowhere', async (status, expected, kinds) => {
  const { counts, errors, metrics } = await against((_request, response) => response.writeHead(status).end('{}'));
  expect(counts).toMatchObject({ sent: 3, succeeded: 0, ...expected });
  expect(errors).toEqual(kinds);
  expect(metrics.e2e).toBeUndefined();
});

test.each<[what: string, body: string, kind: string]>([
  ['no JSON', '<html>', 'body is not JSON'],
  ['no completion', '{"object":"list"}', 'body is no completion'],
])('a body that is %s is a failure', async (_, body, kind) => {
  const { errors } = await against((_request, response) => response.end(body), jsonAnswers);
  expect(errors).toEqual([[kind, 3]]);
});

test('an answer that does not end is left after the time-out', async () => {
  const { counts, errors } = await against((_request, response) => response.write(content('a')), streams, 300);
  expect(counts).toMatchObject({ succeeded: 0, failed: 3 });
  expect(errors).toEqual([['timeout', 3]]);
});

test('a connection that ends in the middle of an answer is a failure', async () => {
  const { errors } = await against((_request, response) => {
    response.write(content('a'));
    setTimeout(() => response.destroy(), 20);
  });
  expect(errors).toEqual([['connection lost', 3]]);
});

test('what is not HTTP is told', async () => {
  const url = await listen(
    createTcpServer((socket: Socket) => socket.on('data', () => socket.end('SSH-2.0-x\r\n\r\n'))),
  );
  const { errors } = await measureJob(jobFor(endpointOf(url), { kind: 'constant', rate: 50 }, { requests: 2 }));
  expect(errors).toEqual([['not HTTP', 2]]);
});

test('a run against a target that is gone ends early and says so', async () => {
  const server = createServer();
  const url = await listen(server);
  server.close();
  const { counts, errors, endedEarly } = await measureJob(
    jobFor(endpointOf(url), { kind: 'constant', rate: 50 }, { durationMs: 60_000 }),
  );
  expect([endedEarly, errors[0]?.[0]]).toEqual(['target gone', 'no connection']);
  expect(counts.succeeded).toBe(0);
});

test('an interruption leaves what is under way unfinished, neither failed nor answered', async () => {
  const target = await startTarget({ ttftMs: 60_000 });
  const { counts, errors, endedEarly } = await measureJob(
    jobFor(target, { kind: 'closed', concurrency: 4 }, { durationMs: 60_000 }),
    { signal: AbortSignal.timeout(300) },
  );
  expect(endedEarly).toBe('interrupted');
  expect(counts).toMatchObject({ sent: 4, unfinished: 4, failed: 0, succeeded: 0 });
  expect(errors).toEqual([]);
});

test('streams wait for no other: each has its own connection', async () => {
  const target = await startTarget({ ttftMs: 400 });
  const { counts, metrics, clientHealth } = await measureJob(
    jobFor(target, { kind: 'bursts', size: 40, everySeconds: 60 }, { requests: 40 }),
  );
  expect(counts.succeeded).toBe(40);
  expect(clientHealth.sockets).toBe(40);
  expect(metrics.request_rate).toMatchObject({ unit: '1/s' });
});
