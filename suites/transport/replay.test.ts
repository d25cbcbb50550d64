import { expect, test } from 'vitest';
import type { Exchange, Unsent } from '../../specs/evidence.ts';
import { openReplayWire } from './replay.ts';
import { BadEvidence, NotSent, type WireRequest } from './wire.ts';

const request: WireRequest = {
  probe: 'a test',
  step: 0,
  method: 'POST',
  path: '/chat/completions',
  credential: 'key',
  headers: {},
  body: '{}',
};
const exchange: Exchange = {
  kind: 'exchange',
  probe: 'a test',
  step: 0,
  request: { method: 'POST', path: '/chat/completions', credential: 'key', headers: [['x', 'y']], body: '{}' },
  sentAt: 1,
  sentTime: 2,
  endedAt: 3,
};
const unsent: Unsent = { kind: 'unsent', probe: 'a test', step: 1, reason: 'the bound of 1 requests is reached' };
const wire = openReplayWire([exchange, unsent]);

test('a request brings back what was recorded for it, as often as it is asked', async () => {
  expect(await wire.send(request)).toBe(exchange);
  expect(await wire.send({ ...request, headers: { other: 'header' }, unpaced: true })).toBe(exchange);
  await wire.close();
});

test('a request that was held back is held back again, for the same reason', async () => {
  const again = wire.send({ ...request, step: 1 });
  await expect(again).rejects.toThrow(NotSent);
  await expect(again).rejects.toThrow('the bound of 1 requests is reached');
});

test.each([{ probe: 'another' }, { step: 2 }])('a request that was not recorded is held back: %j', async (more) => {
  const missing = wire.send({ ...request, ...more });
  await expect(missing).rejects.toThrow(NotSent);
  await expect(missing).rejects.toThrow('the evidence holds no such request');
});

test.each<[string, Partial<WireRequest>, string]>([
  ['with another method', { method: 'GET' }, 'has another method there'],
  ['with another path', { path: '/models' }, 'has another path there'],
  ['with another credential', { credential: 'none' }, 'has another credential there'],
  [
    'with another body',
    { body: '{"a":1}' },
    'has another body there; it was made by another version or with other options',
  ],
])('a request %s is not what was recorded', async (_name, more, message) => {
  const strange = wire.send({ ...request, ...more });
  await expect(strange).rejects.toThrow(BadEvidence);
  await expect(strange).rejects.toThrow(message);
});
