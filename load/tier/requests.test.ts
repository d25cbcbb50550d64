import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { rateLimited } from '../../reference-server/api-error.ts';
import { type Behaviour, plainBehaviour } from '../../reference-server/behaviour.ts';
import { inHeaders } from '../../reference-server/change.ts';
import { type DialectId, dialects } from '../../reference-server/dialects.ts';
import { type FaultId, faults } from '../../reference-server/faults/index.ts';
import type { TierCheck } from '../../specs/wire.ts';
import { check, limits, promising, type Trial } from './test-rig.ts';

/** They wait most of the time. */
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 24 });

test.concurrent('limits that hold are found to hold, exactly', async () => {
  const { outcome, made } = await check({ checks: ['burst'] });
  expect(made).toEqual({
    check: 'burst',
    limit: 12,
    sent: 17,
    expected: 12,
    admitted: 12,
    refused: 5,
    other: 0,
    verdict: 'holds',
    reasons: [],
  });
  expect(outcome).toBe('passed');
});

test.concurrent.each([
  [11, '1 fewer than the limit'],
  [13, '1 more than the limit'],
])('a limit of %i requests instead of 12 is caught', async (requestsPerMinute, words) => {
  const { outcome, made } = await check({ checks: ['burst'], served: { requestsPerMinute }, behaviour: promising(12) });
  expect(made).toMatchObject({ admitted: requestsPerMinute, refused: 17 - requestsPerMinute, verdict: 'broken' });
  expect(made.reasons[0]).toContain(words);
  expect(outcome).toBe('broken');
});

test.concurrent.each<[what: string, behaviour: Behaviour, words: string]>([
  ['another limit', inHeaders(() => ({ 'X-RateLimit-Limit': '100' })), 'X-RateLimit-Limit is 100'],
  [
    'one request too many',
    inHeaders(({ allowance }) => ({
      'X-RateLimit-Remaining': String(allowance.remaining + 1),
      'X-RateLimit-Used': String(allowance.used - 1),
    })),
    '1 remain, and 0 do',
  ],
  ['what does not add up', inHeaders(() => ({ 'X-RateLimit-Used': '0' })), 'do not add up'],
  ['no limit', inHeaders(() => ({ 'X-RateLimit-Limit': undefined })), 'X-RateLimit-Limit is absent'],
  [
    'a reset half a minute after the window',
    inHeaders(({ allowance }) => ({ 'X-RateLimit-Reset': String(allowance.reset + 30) })),
    'not within a window',
  ],
  [
    'a reset in a day',
    inHeaders(() => ({ 'X-RateLimit-Reset': String(Math.floor(Date.now() / 1000) + 86_400) })),
    'X-RateLimit-Reset',
  ],
])('headers that say %s are caught', async (_, behaviour, words) => {
  const { made } = await check({ checks: ['burst'], behaviour });
  expect([made.verdict, made.reasons.join('; ')]).toEqual(['broken', expect.stringContaining(words)]);
});

test.concurrent('what a tier does not state is read from the headers', async () => {
  const { made } = await check({ checks: ['burst'], stated: {} });
  expect(made).toMatchObject({ limit: 12, admitted: 12, verdict: 'holds' });
});

test.concurrent('a burst in which a window of the clock ends is tried again', async () => {
  let answers = 0;
  const behaviour: Behaviour = {
    windows: 'aligned',
    async *output(events) {
      answers += 1;
      // The fifth of the burst, after two that prepare it, waits for the next window.
      if (answers === 7) await sleep(2_100 - (Date.now() % 2_000));
      yield* events;
    },
  };
  const { made } = await check({ checks: ['burst'], windowSeconds: 2, behaviour });
  expect([made.verdict, made.reasons]).toEqual(['holds', []]);
  expect(answers).toBeGreaterThan(2 + 12 + 12);
});

test.concurrent('a clock of another hour breaks nothing', async () => {
  const behaviour = inHeaders(({ at }, { headers }) => ({
    Date: new Date(at - 7_200_000).toUTCString(),
    'X-RateLimit-Reset': String(Number(headers['X-RateLimit-Reset']) - 7_200),
  }));
  const { made } = await check({ checks: ['burst'], behaviour });
  expect([made.verdict, made.reasons]).toEqual(['holds', []]);
});

test.concurrent.each<DialectId>([
  'window-aligned',
  'window-sliding',
  'window-bucket',
  'reset-rounded-down',
  'reset-rounded-up',
])('%s is a form in which the limit holds', async (dialect) => {
  const { made } = await check({ checks: ['burst'], behaviour: dialects[dialect].behaviour });
  expect([made.verdict, made.reasons]).toEqual(['holds', []]);
});

test.concurrent.each<FaultId>([
  'never-refused',
  'counted-twice',
  'window-endless',
  'refusal-with-remaining',
  'headers-constant',
])('the fault %s is caught', async (fault) => {
  const { made } = await check({ checks: ['burst'], behaviour: faults[fault].behaviour });
  expect([made.verdict, made.reasons.length > 0]).toEqual(['broken', true]);
});

/** A pace for whose answers a busy machine may take its time. */
const paced: Trial = {
  checks: ['paced'],
  windowSeconds: 2,
  stated: { ...limits, concurrent: 30 },
  served: { concurrent: 30 },
};

test.concurrent('requests at the pace of the limit are all admitted, and a lower limit is caught', async () => {
  const kept = await check(paced);
  expect(kept.made).toMatchObject({ sent: 12, admitted: 12, verdict: 'holds' });
  const lower = await check({ ...paced, served: { ...paced.served, requestsPerMinute: 4 } });
  expect(lower.made).toMatchObject({ verdict: 'broken' });
});

test.concurrent('an interruption between the requests of an even pace keeps the checks that were made', async () => {
  const interruption = new AbortController();
  let chats = 0;
  const behaviour: Behaviour = {
    async *output(events) {
      chats += 1;
      if (chats === 6) interruption.abort();
      yield* events;
    },
  };
  const { made, outcome } = await check({ ...paced, behaviour, interruption });
  expect([made, outcome]).toEqual([undefined, 'incomplete']);
});

test.concurrent('answers slower than the pace leave it undecided', async () => {
  const { made } = await check({ checks: ['paced'], windowSeconds: 2, ttftMs: 1_500 });
  expect(made).toMatchObject({ refused: 0, verdict: 'inconclusive', reasons: [expect.stringContaining('too slow')] });
});

test.concurrent('a refusal beside other requests leaves an even pace undecided: it may be for a place', async () => {
  let chats = 0;
  const behaviour: Behaviour = {
    decide(refusal, step) {
      if (step === 'place') chats += 1;
      return step === 'place' && chats === 8 ? rateLimited('no place is free', 1) : refusal;
    },
  };
  const { made } = await check({ checks: ['paced'], windowSeconds: 2, ttftMs: 300, behaviour });
  expect([made.verdict, made.reasons]).toEqual(['inconclusive', [expect.stringContaining('too slow')]]);
});

test.concurrent.each<TierCheck['check']>(['burst', 'paced'])(
  'an answer that is lost leaves %s undecided',
  async (which) => {
    let chats = 0;
    const behaviour: Behaviour = {
      async send(response, outgoing, answer, exchange) {
        chats += answer.kind === 'completion' ? 1 : 0;
        if (chats === 7) response.destroy();
        else await plainBehaviour.send(response, outgoing, answer, exchange);
      },
    };
    const { made, outcome } = await check({
      ...(which === 'paced' ? paced : { checks: [which], windowSeconds: 2 }),
      behaviour,
    });
    expect(made).toMatchObject({ other: 1, verdict: 'inconclusive', reasons: ['1 answers were neither 200 nor 429'] });
    expect(outcome).toBe('incomplete');
  },
);
