import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { WireRequest } from './protocol.ts';
import { UserWire } from './user-wire.ts';

/** A wire that wakes its user once before it says anything. */
const early = `
  const { workerData } = require('node:worker_threads');
  workerData.on('message', ({ signal }) => {
    const arrived = new Int32Array(signal);
    const end = Date.now() + 5_000;
    while (Atomics.notify(arrived, 0) === 0 && Date.now() < end);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    workerData.postMessage({ type: 'response', status: 204 });
    Atomics.add(arrived, 0, 1);
    Atomics.notify(arrived, 0);
  });
`;

test('a user that is woken before a message is there goes on waiting for it', async () => {
  const { port1, port2 } = new MessageChannel();
  const { port1: asynchronous } = new MessageChannel();
  const worker = new Worker(early, { eval: true, workerData: port1, transferList: [port1] });
  await once(worker, 'online');
  const wire = new UserWire(port2, asynchronous);
  const request: WireRequest = { kind: 'http', method: 'GET', url: '', body: undefined, headers: {}, timeoutMs: 0 };
  expect(wire.block(request).status).toBe(204);
  asynchronous.close();
  await worker.terminate();
});
