import { expect, test } from 'vitest';
import type { Context } from '../probe.ts';
import { readReply } from '../reply.ts';
import { limitRules } from './limits.ts';

const arrival = 1_800_000_000;

/** A response whose window ends so many seconds after its request came. */
function judgeReset(resetAfter: number, answerSeconds: number) {
  const reply = readReply({
    kind: 'exchange',
    probe: 'a test',
    step: 0,
    request: { method: 'POST', path: '/chat/completions', credential: 'key', headers: [] },
    sentAt: 0,
    sentTime: arrival * 1000,
    headersAt: answerSeconds * 1000,
    endedAt: answerSeconds * 1000,
    response: {
      status: 200,
      headers: [
        ['Date', new Date((arrival + answerSeconds) * 1000).toUTCString()],
        ['X-RateLimit-Reset', String(arrival + resetAfter)],
      ],
      pieces: [],
    },
  });
  return limitRules['limits.headers.reset']?.judge(reply, {} as Context);
}

test('a window may end while a long answer is made, and need not', () => {
  expect(() => judgeReset(10, 30)).not.toThrow();
  expect(() => judgeReset(85, 30)).not.toThrow();
});

test.each([
  ['before the request came', -10, 30],
  ['longer before a quick answer than clocks differ', -10, 0],
  ['later than a window after the answer', 100, 30],
])('a window does not end %s', (_when, resetAfter, answerSeconds) => {
  expect(() => judgeReset(resetAfter, answerSeconds)).toThrow();
});
