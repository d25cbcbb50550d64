import { expect, test } from 'vitest';
import { plainChat, startRig } from './test-rig.ts';

const failing = (fault: string, members: object = {}) => ({
  body: JSON.stringify({ ...plainChat, ...members }),
  headers: { 'content-type': 'application/json', 'x-stack29-fault': fault },
});

test.each([
  ['500', 500, 'internal_error'],
  ['503', 503, 'service_unavailable'],
  ['422', 422, 'tool_error'],
  ['cut-stream', 500, 'internal_error'],
  ['explode', 400, 'invalid_request'],
])('a server that allows faults answers a chat that asks for %s with %i', async (fault, status, code) => {
  const { send } = await startRig({ allowFaults: true });
  const answer = await send('POST', '/chat/completions', failing(fault));
  expect([answer.status, answer.json.error.code]).toEqual([status, code]);
  expect((await send('POST', '/chat/completions', failing(fault), '')).status).toBe(401);
});

test('a stream that is to fail tells its error after some text, and is not done', async () => {
  const { send } = await startRig({ allowFaults: true });
  const { status, text } = await send('POST', '/chat/completions', failing('cut-stream', { stream: true }));
  expect(status).toBe(200);
  const events = text.trimEnd().split('\n\n');
  expect(events).toHaveLength(2);
  expect(events[0]).toContain('"delta":{"content":"');
  expect(events[1]).toContain('"code":"internal_error"');
});

test('a failure gives the place of its chat back', async () => {
  const { send, chat } = await startRig({ allowFaults: true });
  for (let count = 0; count < 6; count += 1) await send('POST', '/chat/completions', failing('cut-stream'));
  expect((await chat()).status).toBe(200);
});

test.each(['500', 'cut-stream', 'explode'])('any other server ignores that a request asks for %s', async (fault) => {
  const { send } = await startRig();
  expect((await send('POST', '/chat/completions', failing(fault))).status).toBe(200);
});
