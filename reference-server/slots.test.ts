import { describe, expect, test } from 'vitest';
import { problemsOf } from '../specs/validate.ts';
import { ApiError } from './api-error.ts';
import type { ServerOptions } from './server.ts';
import { Slots, type Turn } from './slots.ts';
import { heldBackend, key, plainChat, startRig, until } from './test-rig.ts';
import { openSocket, start } from './websocket/socket-rig.ts';

const wanted = new AbortController().signal;

function take(slots: Slots): Turn {
  const turn = slots.take();
  if (turn instanceof ApiError) throw turn;
  return turn;
}

/** Whether a turn has come, as far as can be told without waiting for it. */
async function hasCome(coming: Promise<void>): Promise<boolean> {
  return Promise.race([coming.then(() => true), new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);
}

describe('slots', () => {
  test('go to those that wait, in their order', async () => {
    const slots = new Slots(1, 2);
    const [first, second, third] = [take(slots), take(slots), take(slots)];
    await first.come(wanted);
    const [secondComes, thirdComes] = [second.come(wanted), third.come(wanted)];
    expect([slots.busy, slots.queued]).toEqual([1, 2]);
    first.leave();
    first.leave();
    expect([await hasCome(secondComes), await hasCome(thirdComes)]).toEqual([true, false]);
    second.leave();
    await thirdComes;
    expect([slots.busy, slots.queued]).toEqual([1, 0]);
  });

  test('are refused where all are busy and the queue is full, and taken again after that', async () => {
    const slots = new Slots(1, 1);
    const [first, second] = [take(slots), take(slots)];
    await first.come(wanted);
    expect(slots.take()).toMatchObject({ code: 'service_unavailable', headers: { 'Retry-After': '1' } });
    second.leave();
    take(slots);
  });

  test('pass over who leaves or is aborted while it waits', async () => {
    const slots = new Slots(1, 9);
    const [first, gone, aborted, last] = [take(slots), take(slots), take(slots), take(slots)];
    const abort = new AbortController();
    await first.come(wanted);
    const waiting = [gone.come(wanted), aborted.come(abort.signal)];
    const lastComes = last.come(wanted);
    gone.leave();
    abort.abort();
    await Promise.all(waiting);
    aborted.leave();
    expect([slots.busy, slots.queued]).toEqual([1, 1]);
    first.leave();
    await lastComes;
    last.leave();
    expect([slots.busy, slots.queued]).toEqual([0, 0]);
  });
});

/** A server on which one chat is being answered until it is let go. */
async function startBusy(options: Partial<ServerOptions> = {}) {
  const { backend, letGo } = heldBackend();
  const rig = await startRig({ backend, slots: 1, ...options });
  const { state } = rig;
  const first = rig.chat();
  await until(() => state.slots.busy === 1);
  return { ...rig, first, letGo };
}

test('a chat more than the queue holds is refused with 503, over REST and on a socket', async () => {
  const { chat, url, state, first, letGo } = await startBusy({ queueSize: 1 });
  const second = chat();
  await until(() => state.slots.queued === 1);
  const refused = await chat({ stream: true });
  expect([refused.status, problemsOf('error', refused.json)]).toEqual([503, []]);
  expect(refused.json.error).toMatchObject({
    code: 'service_unavailable',
    message: expect.stringContaining('wait (1)'),
  });
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(problemsOf('rate-limit-headers', Object.fromEntries(refused.headers))).toEqual([]);
  const socket = await openSocket(url);
  socket.say(start());
  expect(await socket.until('error')).toEqual([expect.objectContaining({ code: 'service_unavailable' })]);
  letGo();
  expect([(await first).status, (await second).status, (await chat()).status]).toEqual([200, 200, 200]);
});

test('a client that leaves the queue leaves nothing behind', async () => {
  const { chat, url, state, first, letGo } = await startBusy();
  const { socket, say } = await openSocket(url);
  say(start());
  const leaving = new AbortController();
  const body = JSON.stringify(plainChat);
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const left = fetch(`${url}/chat/completions`, { method: 'POST', body, headers, signal: leaving.signal });
  await until(() => state.slots.queued === 2);
  socket.terminate();
  leaving.abort();
  await expect(left).rejects.toThrow('aborted');
  await until(() => state.slots.queued === 0);
  letGo();
  expect((await first).status).toBe(200);
  expect([state.slots.busy, state.slots.queued]).toEqual([0, 0]);
  expect((await chat()).status).toBe(200);
});
