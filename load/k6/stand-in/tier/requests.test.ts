import { describe, expect, test, vi } from 'vitest';
import { ApiError } from '../../../../reference-server/api-error.ts';
import type { Behaviour } from '../../../../reference-server/behaviour.ts';
import { inHeaders } from '../../../../reference-server/change.ts';
import { type FaultId, faults } from '../../../../reference-server/faults/index.ts';
import type { TierCheck } from '../../../../specs/wire.ts';
import { promising } from '../../../tier/test-rig.ts';
import { decided, tried } from './test-rig.ts';

/** Three bursts may be needed on a busy machine, and that three times. */
vi.setConfig({ testTimeout: 400_000, maxConcurrency: 3 });

describe.concurrent('requests a minute', () => {
  const stated = { requestsPerMinute: 12, concurrent: 4 };

  test('a limit that holds is found to hold, exactly', async ({ expect }) => {
    const { code, outcome, made } = await decided({ check: 'burst', stated, served: stated });
    // One of the two requests across the reset is admitted.
    const within = (made?.expected ?? 0) - 1;
    // Of the window one request sets up, and one looks at it: the latter alone in a second try, on a busy machine.
    expect([10, 11]).toContain(within);
    expect(made).toEqual({
      check: 'burst',
      limit: 12,
      sent: within + 10 + 2,
      expected: within + 1,
      admitted: within + 1,
      refused: 10 + 1,
      other: 0,
      verdict: 'holds',
      reasons: [],
    });
    expect([code, outcome]).toEqual([0, 'passed']);
  });

  test.each([
    [11, 'requests within the limit were refused'],
    [13, 'more requests were admitted than the limit allows'],
  ])('a limit of %i instead of 12 is caught', async (requestsPerMinute, words) => {
    const served = { requestsPerMinute, concurrent: 4 };
    const { code, outcome, made } = await decided({ check: 'burst', stated, served, behaviour: promising(12) });
    expect([code, outcome, made?.verdict]).toEqual([99, 'broken', 'broken']);
    expect(made?.reasons[0]).toBe(words);
  });

  test.each<[fault: FaultId, words: string]>([
    ['refused-too-early', 'requests within the limit were refused'],
    ['refused-one-too-late', 'more requests were admitted than the limit allows'],
    ['never-refused', 'more requests were admitted than the limit allows'],
    ['counted-twice', 'requests within the limit were refused'],
    ['used-always-zero', 'do not add up'],
    ['headers-constant', 'more requests were admitted than the limit allows'],
    ['refusal-with-remaining', 'that no requests are left'],
    ['reset-in-an-hour', 'not within a window'],
    ['window-endless', 'still refused after the reset'],
  ])('the fault %s is caught', async (fault, words) => {
    const { behaviour = {} } = faults[fault];
    const { outcome, made } = await decided({ check: 'burst', stated, served: stated, behaviour });
    expect(outcome).toBe('broken');
    expect(made?.reasons.join('; ')).toContain(words);
  });

  test.each([
    ['X-RateLimit-Limit', 'X-RateLimit-Limit is absent'],
    ['X-RateLimit-Used', 'are absent, or do not add up'],
    ['X-RateLimit-Reset', 'X-RateLimit-Reset is absent'],
  ])('an admission without %s is caught', async (header, words) => {
    // The first answers, by which the script finds its window, have it.
    let answers = 0;
    const behaviour = inHeaders(() => {
      answers += 1;
      return answers > 3 ? { [header]: undefined } : {};
    });
    const { outcome, made } = await decided({ check: 'burst', stated, served: stated, behaviour });
    expect([outcome, made?.reasons.join('; ')]).toEqual(['broken', expect.stringContaining(words)]);
  });

  test('a reset that lies in the past is caught', async () => {
    const behaviour = inHeaders(({ allowance: { reset } }) => ({ 'X-RateLimit-Reset': String(reset - 50) }));
    const { outcome, made } = await decided({ check: 'burst', stated, served: stated, behaviour });
    expect([outcome, made?.reasons.join('; ')]).toEqual(['broken', expect.stringContaining('refused after the reset')]);
  });

  test('a Remaining that skips on its way is caught', async () => {
    const behaviour = inHeaders(({ allowance: { used, limit } }) => {
      const told = Math.min(limit, used > 4 && used < 10 ? used + 3 : used);
      return { 'X-RateLimit-Used': String(told), 'X-RateLimit-Remaining': String(limit - told) };
    });
    const { outcome, made } = await decided({ check: 'burst', stated, served: stated, behaviour });
    expect([outcome, made?.reasons.join('; ')]).toEqual(['broken', expect.stringContaining('does not count down')]);
  });

  test.each(['sliding', 'bucket'] as const)('a %s window holds', async (windows) => {
    const { made } = await decided({ check: 'burst', stated, served: stated, behaviour: { windows } });
    expect([made?.reasons, made?.verdict]).toEqual([[], 'holds']);
  });

  test('requests at the pace of the limit are all admitted', async () => {
    const { code, made } = await decided({ check: 'paced', stated, served: stated });
    expect(made).toMatchObject({ limit: 12, sent: 10, admitted: 10, verdict: 'holds' });
    expect(code).toBe(0);
  });

  test('a request after the reset that fails leaves the limit undecided', async () => {
    let refusals = 0;
    const behaviour: Behaviour = {
      decide(refusal, step) {
        if (step !== 'limits') return refusal;
        if (refusal !== undefined) refusals += 1;
        return refusals > 0 && refusal === undefined ? new ApiError('service_unavailable', 'gone') : refusal;
      },
    };
    const { outcome, made } = await tried({ check: 'burst', stated, served: stated, behaviour });
    expect([outcome, made?.verdict]).toEqual(['incomplete', 'inconclusive']);
    expect(made?.reasons).toContain('some requests were neither admitted nor refused with 429');
  });

  test('a lower limit refuses some of them', async () => {
    const served = { ...stated, requestsPerMinute: 6 };
    const { code, made } = await decided({ check: 'paced', stated, served, behaviour: promising(12) });
    expect([code, made?.verdict, made?.reasons]).toEqual([
      99,
      'broken',
      ['requests at the even pace of the limit were refused'],
    ]);
  });
});

describe.concurrent('requests a minute, some of them over sockets', () => {
  const stated = { requestsPerMinute: 18, concurrent: 4 };
  const trial = { check: 'burst', stated, served: stated, sockets: true } as const;

  test('a limit that holds is found to hold, exactly', async ({ expect }) => {
    const { code, made } = await decided(trial);
    // Of six chats over three sockets each start counts, and each socket; one of the two across the reset is admitted.
    const { sent, expected = 0, admitted, refused, ...rest } = made as TierCheck;
    expect(rest).toEqual({ check: 'burst', limit: 18, other: 0, verdict: 'holds', reasons: [] });
    expect([admitted, sent]).toEqual([expected, admitted + refused]);
    // The window has one or two requests more.
    expect([18 - 9 - 2, 18 - 9 - 1]).toContain(admitted - 6 - 1);
    expect(code).toBe(0);
  });

  test.each([
    [17, 'requests within the limit were refused'],
    [19, 'more requests were admitted than the limit allows'],
  ])('a limit of %i instead of 18 is caught', async (requestsPerMinute, words) => {
    const { outcome, made } = await decided({
      ...trial,
      served: { ...stated, requestsPerMinute },
      behaviour: promising(18),
    });
    expect([outcome, made?.reasons[0]]).toEqual(['broken', words]);
  });

  test.each<FaultId>(['socket-starts-uncounted', 'socket-starts-counted-apart', 'socket-limits-apart'])(
    'the fault %s is caught',
    async (fault) => {
      const { outcome, made } = await decided({ ...trial, behaviour: faults[fault].behaviour });
      expect([outcome, made?.reasons[0]]).toEqual([
        'broken',
        'more requests were admitted over REST than the limit leaves beside those over sockets',
      ]);
    },
  );

  test.each<[fault: FaultId, words: string]>([
    ['used-always-zero', 'do not add up'],
    ['refusal-with-remaining', 'that no requests are left'],
  ])('headers that lie are caught beside sockets: %s', async (fault, words) => {
    const { outcome, made } = await decided({ ...trial, behaviour: faults[fault].behaviour });
    expect([outcome, made?.reasons.join('; ')]).toEqual(['broken', expect.stringContaining(words)]);
  });

  test('sockets on which no chat is answered leave it open, and so does a limit that is too low for them', async () => {
    const behaviour: Behaviour = { socket: { decide: () => new ApiError('service_unavailable', 'no sockets') } };
    const { made } = await tried({ ...trial, behaviour });
    expect([made?.verdict, made?.reasons]).toEqual([
      'inconclusive',
      ['only REST was tried: no chat over a socket is answered'],
    ]);
    const low = { ...stated, requestsPerMinute: 8 };
    const { made: few } = await tried({ ...trial, stated: low, served: low });
    expect([few?.verdict, few?.reasons]).toEqual([
      'inconclusive',
      ['only REST was tried: the limit is too low for sockets'],
    ]);
  });
});
