import { describe, expect, test, vi } from 'vitest';
import { ApiError } from '../../reference-server/api-error.ts';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import { inHeaders } from '../../reference-server/change.ts';
import { type FaultId, faults } from '../../reference-server/faults/index.ts';
import { onSockets } from '../../reference-server/websocket/change-socket.ts';
import type { TierCheck } from '../../specs/wire.ts';
import { asked, check, keeping, limits, promising } from './test-rig.ts';

/** They wait most of the time. */
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 24 });

describe.concurrent('a part over sockets', () => {
  const sockets = true;

  test('counts with the requests over REST', async () => {
    const { made, outcome } = await check({ checks: ['burst'], sockets });
    // Of six chats over three sockets each start counts, and each socket.
    expect(made).toMatchObject({ limit: 12, sent: 23, expected: 9, admitted: 9, refused: 14, verdict: 'holds' });
    expect([made.reasons, outcome]).toEqual([[], 'passed']);
  });

  test.each([
    [11, '1 fewer than the limit'],
    [13, '1 more than the limit'],
  ])('leaves a limit of %i requests instead of 12 caught', async (requestsPerMinute, words) => {
    const { made } = await check({
      checks: ['burst'],
      sockets,
      served: { requestsPerMinute },
      behaviour: promising(12),
    });
    expect([made.verdict, made.reasons.join()]).toEqual(['broken', expect.stringContaining(words)]);
  });

  test.each<[FaultId, TierCheck['check'], string]>([
    ['socket-starts-uncounted', 'burst', 'not counted with the requests over REST'],
    ['socket-starts-counted-apart', 'burst', 'not counted with the requests over REST'],
    ['socket-limits-apart', 'burst', 'not counted with the requests over REST'],
    ['socket-places-apart', 'concurrency', 'one stream more than the limit was admitted, beside 1 over sockets'],
    ['socket-limits-apart', 'concurrency', 'one stream more than the limit was admitted, beside 1 over sockets'],
    ['socket-limits-apart', 'tokens', 'a chat over a socket is admitted with 3000 of 3000 tokens spent'],
    ['socket-tokens-unlimited', 'tokens', 'a chat over a socket is admitted with 3000 of 3000 tokens spent'],
  ])('is caught by the fault %s in the check %s', async (fault, which, words) => {
    const stated = { ...limits, tokensPerDay: 3_000 };
    const { made } = await check({
      checks: [which],
      sockets,
      second: true,
      stated,
      served: { ...stated, ...(which !== 'burst' && { requestsPerMinute: 1_000 }) },
      tokensPerSecond: which === 'tokens' ? 0 : 20,
      behaviour: faults[fault].behaviour,
    });
    expect([made.verdict, made.reasons[0]]).toEqual(['broken', expect.stringContaining(words)]);
  });

  test('is not blamed for a limit that is nowhere kept', async () => {
    const served = { requestsPerMinute: 1_000 };
    const { made } = await check({ checks: ['burst'], sockets, served, behaviour: promising(12) });
    const words = '5 more than the limit were admitted in a window over REST alone';
    expect([made.verdict, made.reasons[0]]).toEqual(['broken', words]);
  });

  test('is caught where another server answers sockets', async () => {
    const { made } = await check({ checks: ['burst'], sockets, socketsApart: true });
    expect([made.verdict, made.reasons[0]]).toEqual([
      'broken',
      'chats over sockets are not counted with the requests over REST',
    ]);
  });

  test('leaves a Remaining of one too few caught, though many are asked for at a time', async () => {
    const many = { ...limits, requestsPerMinute: 18, concurrent: 20 };
    const behaviour = inHeaders(({ allowance: { limit, used } }) => {
      const told = Math.min(limit, used + 1);
      return { 'X-RateLimit-Used': String(told), 'X-RateLimit-Remaining': String(limit - told) };
    });
    const { made } = await check({ checks: ['burst'], sockets, stated: many, served: many, behaviour });
    expect([made.verdict, made.reasons.join()]).toEqual(['broken', expect.stringContaining('16 remain')]);
  });

  test('of which one chat is lost leaves the limit undecided, and its headers unblamed', async () => {
    let chats = 0;
    const behaviour = onSockets({
      decide(refusal, step) {
        if (step === 'place') chats += 1;
        return step === 'place' && chats === 4 ? new ApiError('service_unavailable', 'lost') : refusal;
      },
    });
    const { made } = await check({ checks: ['burst'], sockets, behaviour });
    expect([made.verdict, made.reasons]).toEqual(['inconclusive', ['1 answers were neither 200 nor 429']]);
  });

  test('takes places as streams over REST do, which are free again after it', async () => {
    const { made } = await check({ checks: ['concurrency'], sockets, served: { requestsPerMinute: 1_000 } });
    expect(made).toMatchObject({ limit: 3, sent: 5, admitted: 3, refused: 2, verdict: 'holds', reasons: [] });
  });

  test.each([
    [2, '2 of 3 streams were admitted'],
    [4, 'one stream more than the limit was admitted'],
  ])('leaves a limit of %i streams instead of 3 caught', async (concurrent, words) => {
    const { made } = await check({
      checks: ['concurrency'],
      sockets,
      served: { concurrent, requestsPerMinute: 1_000 },
    });
    expect([made.verdict, made.reasons[0]]).toEqual(['broken', expect.stringContaining(words)]);
  });

  test('takes the one place that there may be', async () => {
    const one = { ...limits, concurrent: 1 };
    const served = { concurrent: 1, requestsPerMinute: 1_000 };
    const { made } = await check({ checks: ['concurrency'], sockets, stated: one, served });
    expect(made).toMatchObject({ limit: 1, admitted: 1, refused: 2, verdict: 'holds', reasons: [] });
    const two = await check({ checks: ['concurrency'], sockets, stated: one, served: { ...served, concurrent: 2 } });
    expect(two.made.verdict).toBe('broken');
  });

  test('does not take want of requests for want of places', async () => {
    const { made } = await check({ checks: ['concurrency'], sockets, windowSeconds: 2 });
    expect([made.verdict, made.reasons]).toEqual(['holds', []]);
    const narrow = await check({ checks: ['concurrency'], served: { requestsPerMinute: 9 }, windowSeconds: 2 });
    expect([narrow.made.verdict, narrow.made.reasons]).toEqual([
      'inconclusive',
      ['takes 10 requests in a window, and the limit of requests is 9'],
    ]);
  });

  test('is caught where its place is kept', async () => {
    // Those of the chats before the check are let go.
    const behaviour = keeping((body, url) => url.includes('/ws/') && asked(body, 'max_tokens') !== 1);
    const { made } = await check({ checks: ['concurrency'], sockets, behaviour, served: { requestsPerMinute: 1_000 } });
    expect([made.verdict, made.reasons]).toEqual([
      'broken',
      ['a place over a socket is not free 3 s after its client left'],
    ]);
  });

  test('leaves open what is answered over none', async () => {
    const behaviour: Behaviour = { socket: { decide: () => new ApiError('service_unavailable', 'no sockets') } };
    const { made, outcome } = await check({ checks: ['burst'], sockets, behaviour });
    expect([made.verdict, made.reasons, outcome]).toEqual([
      'inconclusive',
      ['only REST was counted: no chat over a socket is answered'],
      'incomplete',
    ]);
  });
});
