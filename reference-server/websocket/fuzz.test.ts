import { expect, test } from 'vitest';
import { problemsOf, type SchemaName } from '../../specs/validate.ts';
import { changed } from '../change.ts';
import { startRig } from '../test-rig.ts';
import { openSocket, start } from './socket-rig.ts';

/** Numbers from 0 to `limit` that are the same in every run. */
function seeded(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const junk: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1e308, 1.5, '', ' ', '\u0000', '\ud800', [], [[]], {}, [null], { type: 'start' }],
  ...['9'.repeat(400), 'start', { length: -1 }, [{ role: 'user' }], { toString: 1 }, undefined],
];
const pointers = [
  ...['', '/type', '/model', '/messages', '/messages/0', '/messages/0/role', '/messages/0/content', '/max_tokens'],
  ...['/temperature', '/top_p', '/stop', '/tools', '/tool_choice', '/api_key', '/__proto__', '/constructor', '/seed'],
];

function badMessage(random: (limit: number) => number): string | Buffer {
  let message: unknown = start({ tools: [], stop: null });
  for (let changes = 1 + random(3); changes > 0; changes -= 1) {
    message = changed(message, pointers[random(pointers.length)] ?? '', junk[random(junk.length)]);
  }
  const text = JSON.stringify(message) ?? '';
  switch (random(4)) {
    case 0:
      return text.slice(0, random(text.length + 1));
    case 1:
      return Buffer.from(text);
    default:
      return text;
  }
}

test('whatever it is sent, a socket answers with documented messages and goes on', { timeout: 120_000 }, async () => {
  const faults: unknown[] = [];
  const limits = { requestsPerMinute: 1_000_000, tokensPerDay: 1e9, concurrent: 5 };
  const keys = [{ key: 'sk-test-free', disabled: false, limits }];
  const { url } = await startRig({ keys, onFault: (error) => faults.push(error) });
  const { say, socket, until } = await openSocket(url);
  const random = seeded(29);
  const problems: unknown[] = [];
  for (let count = 0; count < 1_000; count += 1) {
    const message = badMessage(random);
    socket.send(message);
    say({ type: 'stop' });
    say({ type: 'ping' });
    for (const answer of await until('pong')) {
      const found = problemsOf(`ws-${answer.type}` as SchemaName, answer);
      if (found.length > 0 || answer.code === 'internal_error') problems.push([message, answer, found]);
    }
  }
  expect([problems, faults]).toEqual([[], []]);
});
