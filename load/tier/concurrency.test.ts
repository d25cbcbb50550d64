import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { ApiError } from '../../reference-server/api-error.ts';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import { type DialectId, dialects } from '../../reference-server/dialects.ts';
import { type FaultId, faults } from '../../reference-server/faults/index.ts';
import { asked, check, keeping, limits } from './test-rig.ts';

/** They wait most of the time. */
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 24 });

test.concurrent('as many streams run as the tier says, and a place is free again after one has gone', async () => {
  const { made } = await check({ checks: ['concurrency'], served: { requestsPerMinute: 1_000 } });
  expect(made).toMatchObject({ limit: 3, sent: 4, admitted: 3, refused: 1, verdict: 'holds', reasons: [] });
});

test.concurrent.each([
  [2, '2 of 3 streams were admitted'],
  [4, 'one stream more'],
  // As a server that counts each connection by itself.
  [1_000, 'one stream more'],
])('a limit of %i streams instead of 3 is caught', async (concurrent, words) => {
  const { made } = await check({ checks: ['concurrency'], served: { concurrent, requestsPerMinute: 1_000 } });
  expect([made.verdict, made.reasons[0]]).toEqual(['broken', expect.stringContaining(words)]);
});

test.concurrent('streams that end too soon prove nothing', async () => {
  const short: Behaviour = { generation: (generation) => ({ ...generation, maxTokens: 1 }) };
  const { made } = await check({ checks: ['concurrency'], behaviour: short, served: { requestsPerMinute: 1_000 } });
  expect(made).toMatchObject({ verdict: 'inconclusive', reasons: [expect.stringContaining('slower model')] });
});

test.concurrent('one that has the place of a stream on its way leaves the limit undecided', async () => {
  let streams = 0;
  const isStream = (body: unknown) => asked(body, 'stream') === true;
  const behaviour: Behaviour = {
    place(place, { body }) {
      streams += isStream(body) ? 1 : 0;
      if (!isStream(body) || streams !== 2) return place;
      void place.release();
      return { ...place, release: async () => {} };
    },
    async *output(events, { body }) {
      if (isStream(body) && streams === 2) await sleep(20_000);
      yield* events;
    },
  };
  const { made } = await check({
    checks: ['concurrency'],
    stated: { ...limits, concurrent: 2 },
    served: { concurrent: 2, requestsPerMinute: 1_000 },
    behaviour,
  });
  expect([made.verdict, made.reasons]).toEqual([
    'inconclusive',
    ['a request that came later had the place of one that was on its way for too long'],
  ]);
});

test.concurrent.each<[what: string, isHit: (body: unknown) => boolean]>([
  ['whole answer', (body) => asked(body, 'stream') !== true],
  ['stream', (body) => asked(body, 'stream') === true && asked(body, 'max_tokens') === 1],
])('a %s that fails does not show that a place is kept', async (_, isHit) => {
  let held = 0;
  const behaviour: Behaviour = {
    decide(refusal, step, { body }) {
      if (step === 'place' && asked(body, 'max_tokens') !== 1) held += 1;
      return step === 'place' && held > 0 && isHit(body) ? new ApiError('service_unavailable', 'gone') : refusal;
    },
  };
  const { made } = await check({
    checks: ['concurrency'],
    stated: { ...limits, concurrent: 2 },
    served: { concurrent: 2, requestsPerMinute: 1_000 },
    behaviour,
  });
  expect([made.verdict, made.reasons]).toEqual(['inconclusive', [expect.stringContaining('is not seen')]]);
});

test.concurrent('a stream that waited for its place may take its time to begin', async () => {
  const behaviour: Behaviour = {
    queue: true,
    async *output(events, { body }) {
      if (asked(body, 'stream') === true) await sleep(3_300);
      yield* events;
    },
  };
  const { made } = await check({
    checks: ['concurrency'],
    stated: { ...limits, concurrent: 1 },
    served: { concurrent: 1, requestsPerMinute: 1_000 },
    behaviour,
  });
  expect([made.verdict, made.reasons]).toEqual(['holds', []]);
});

test.concurrent('what a tier does not state is not decided', async () => {
  const { made, outcome } = await check({ checks: ['concurrency'], stated: {} });
  expect(made).toMatchObject({ verdict: 'inconclusive', reasons: [expect.stringContaining('limits.concurrent')] });
  expect(outcome).toBe('incomplete');
});

test.concurrent.each<DialectId>(['refusal-tells-its-own-limit', 'chats-queued'])(
  '%s is a form in which the limit holds',
  async (dialect) => {
    const { behaviour } = dialects[dialect];
    const { made } = await check({ checks: ['concurrency'], behaviour, served: { requestsPerMinute: 1_000 } });
    expect([made.verdict, made.reasons]).toEqual(['holds', []]);
  },
);

test.concurrent.each<FaultId>(['places-unlimited', 'one-place-fewer'])('the fault %s is caught', async (fault) => {
  const { behaviour } = faults[fault];
  const { made } = await check({ checks: ['concurrency'], behaviour, served: { requestsPerMinute: 1_000 } });
  expect([made.verdict, made.reasons.length > 0]).toEqual(['broken', true]);
});

test.concurrent.each([
  ['streams', (stream: boolean) => stream, 'after its client left'],
  ['streams that end by themselves', (stream: boolean, tokens: unknown) => stream && tokens === 1, 'its answer ended'],
  // Two answers before the check keep theirs.
  ['whole answers', (stream: boolean) => !stream, '1 of 3 streams were admitted'],
])('places that %s keep are caught', async (_, isKept, words) => {
  const behaviour = keeping((body) => isKept(asked(body, 'stream') === true, asked(body, 'max_tokens')));
  const served = { requestsPerMinute: 1_000, concurrent: 3 };
  const { made } = await check({ checks: ['concurrency'], behaviour, served });
  expect([made.verdict, made.reasons[0]]).toEqual(['broken', expect.stringContaining(words)]);
});
