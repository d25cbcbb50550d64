import { describe, expect, test, vi } from 'vitest';
import type { Behaviour } from '../../../reference-server/behaviour.ts';
import { inHeaders } from '../../../reference-server/change.ts';
import { type FaultId, faults } from '../../../reference-server/faults/index.ts';
import { problemsOf } from '../../../specs/validate.ts';
import type { TierCheck, TierProfile } from '../../../specs/wire.ts';
import { openTarget, unlimited } from '../../engine/test-rig.ts';
import { envFor, runUnderStandIn } from './test-rig.ts';

interface Trial {
  readonly check: TierCheck['check'];
  readonly stated: TierProfile['limits'];
  /** Of the server's key. */
  readonly served: Partial<typeof unlimited>;
  readonly behaviour?: Behaviour;
  readonly tokensPerSecond?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Three bursts may be needed on a busy machine. */
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 3 });

/** Long enough for a burst, and short enough for a test. */
const windowSeconds = 6;

const scripts = {
  burst: 'tier-requests',
  paced: 'tier-requests',
  concurrency: 'tier-concurrency',
  tokens: 'tier-tokens',
} as const;

async function tried({ check, stated, served, behaviour = {}, tokensPerSecond = 0, env }: Trial) {
  const limits = { ...unlimited, ...served };
  const { endpoint, close } = await openTarget({ behaviour, windowSeconds, tokensPerSecond, limits });
  const profile: TierProfile = {
    kind: 'tier',
    name: 'trial',
    description: '',
    workload: { promptTokens: 8, outputTokens: 1, transports: { json: 1 } },
    tier: 'enterprise',
    limits: { ...stated, windowSeconds },
    checks: [check],
  };
  try {
    const { code, result, stdout, stderr } = await runUnderStandIn(scripts[check], {
      ...envFor(endpoint, profile),
      ...env,
    });
    expect(problemsOf('load-result', result)).toEqual([]);
    expect(`${stdout}${stderr}`).not.toContain('sk-');
    return { code, outcome: result?.outcome, made: result?.tier?.[0] };
  } finally {
    await close();
  }
}

describe.concurrent('requests a minute', () => {
  const stated = { requestsPerMinute: 12, concurrent: 4 };

  test('a limit that holds is found to hold, exactly', async ({ expect }) => {
    const { code, outcome, made } = await tried({ check: 'burst', stated, served: stated });
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

  // The headers say what was promised, so that only the count gives it away.
  const promised = inHeaders(({ allowance: { used } }) => ({
    'X-RateLimit-Limit': '12',
    'X-RateLimit-Used': String(Math.min(12, used)),
    'X-RateLimit-Remaining': String(Math.max(0, 12 - used)),
  }));

  test.each([
    [11, 'requests within the limit were refused'],
    [13, 'more requests were admitted than the limit allows'],
  ])('a limit of %i instead of 12 is caught', async (requestsPerMinute, words) => {
    const served = { requestsPerMinute, concurrent: 4 };
    const { code, outcome, made } = await tried({ check: 'burst', stated, served, behaviour: promised });
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
    const { outcome, made } = await tried({ check: 'burst', stated, served: stated, behaviour });
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
    const { outcome, made } = await tried({ check: 'burst', stated, served: stated, behaviour });
    expect([outcome, made?.reasons.join('; ')]).toEqual(['broken', expect.stringContaining(words)]);
  });

  test('a Remaining that skips on its way is caught', async () => {
    const behaviour = inHeaders(({ allowance: { used, limit } }) => {
      const told = Math.min(limit, used > 4 && used < 10 ? used + 3 : used);
      return { 'X-RateLimit-Used': String(told), 'X-RateLimit-Remaining': String(limit - told) };
    });
    const { outcome, made } = await tried({ check: 'burst', stated, served: stated, behaviour });
    expect([outcome, made?.reasons.join('; ')]).toEqual(['broken', expect.stringContaining('does not count down')]);
  });

  test.each(['sliding', 'bucket'] as const)('a %s window holds', async (windows) => {
    const { made } = await tried({ check: 'burst', stated, served: stated, behaviour: { windows } });
    expect([made?.reasons, made?.verdict]).toEqual([[], 'holds']);
  });

  test('requests at the pace of the limit are all admitted', async () => {
    const { code, made } = await tried({ check: 'paced', stated, served: stated });
    expect(made).toMatchObject({ limit: 12, sent: 10, admitted: 10, verdict: 'holds' });
    expect(code).toBe(0);
  });

  test('a lower limit refuses some of them', async () => {
    const served = { ...stated, requestsPerMinute: 6 };
    const { code, made } = await tried({ check: 'paced', stated, served, behaviour: promised });
    expect([code, made?.verdict, made?.reasons]).toEqual([
      99,
      'broken',
      ['requests at the even pace of the limit were refused'],
    ]);
  });
});

describe.concurrent('requests at the same time', () => {
  const stated = { concurrent: 3 };

  test('a limit that holds is found to hold, and a place is free again', async () => {
    const { code, made } = await tried({ check: 'concurrency', stated, served: stated, tokensPerSecond: 250 });
    expect(made).toMatchObject({ limit: 3, sent: 5, expected: 4, admitted: 4, refused: 1, verdict: 'holds' });
    expect(code).toBe(0);
  });

  test.each([
    [2, 'requests within the limit were refused'],
    [4, 'more requests were admitted than the limit allows'],
    // As a server that counts each connection by itself.
    [1000, 'more requests were admitted than the limit allows'],
  ])('a limit of %i instead of 3 is caught', async (concurrent, words) => {
    const trial = { check: 'concurrency', stated, served: { concurrent }, tokensPerSecond: 250 } as const;
    const { code, outcome, made } = await tried(trial);
    expect([code, outcome, made?.reasons]).toEqual([99, 'broken', [words]]);
  });

  test.each<[fault: FaultId, words: string]>([
    ['places-unlimited', 'more requests were admitted than the limit allows'],
    ['one-place-fewer', 'requests within the limit were refused'],
  ])('the fault %s is caught', async (fault, words) => {
    const { behaviour = {} } = faults[fault];
    const { outcome, made } = await tried({
      check: 'concurrency',
      stated,
      served: stated,
      tokensPerSecond: 250,
      behaviour,
    });
    expect([outcome, made?.reasons.join()]).toEqual(['broken', expect.stringContaining(words)]);
  });

  test('places that are not given back are caught', async () => {
    const behaviour: Behaviour = { place: (place) => ({ ...place, release: async () => {} }) };
    const trial = { check: 'concurrency', stated, served: stated, tokensPerSecond: 250, behaviour } as const;
    const { outcome, made } = await tried(trial);
    expect([outcome, made?.reasons.join()]).toEqual(['broken', expect.stringContaining('left its place')]);
  });

  test('a chat that waits for a place is not taken for one that is admitted', async () => {
    const trial = { check: 'concurrency', stated, served: stated, tokensPerSecond: 250 } as const;
    const { outcome, made } = await tried({ ...trial, behaviour: { queue: true } });
    expect([outcome, made?.verdict]).toEqual(['incomplete', 'inconclusive']);
  });

  test('answers that end too soon prove nothing', async () => {
    const { code, outcome, made } = await tried({ check: 'concurrency', stated, served: stated });
    expect([code, outcome, made?.verdict]).toEqual([99, 'incomplete', 'inconclusive']);
    expect(made?.reasons[0]).toContain('ended before');
  });

  test('a tier that states no limit is not decided', async () => {
    const { outcome, made } = await tried({ check: 'concurrency', stated: {}, served: {} });
    expect([outcome, made?.verdict]).toEqual(['incomplete', 'inconclusive']);
  });
});

describe.concurrent('tokens a day', () => {
  const stated = { tokensPerDay: 3000 };
  const trial = { check: 'tokens', stated } as const;

  test('a limit that holds is spent to its end, and not beyond', async () => {
    const { code, made } = await tried({ ...trial, served: stated });
    expect(made).toMatchObject({ limit: 3000, sent: 4, expected: 3, admitted: 3, refused: 1, verdict: 'holds' });
    expect(code).toBe(0);
  });

  test('a higher limit is caught', async () => {
    const { outcome, made } = await tried({ ...trial, served: { tokensPerDay: 3100 } });
    expect([outcome, made?.reasons]).toEqual(['broken', ['more requests were admitted than the limit allows']]);
  });

  test('an early refusal is one of the server only if the key was fresh', async () => {
    const served = { tokensPerDay: 2000 };
    const unknown = await tried({ ...trial, served });
    expect([unknown.outcome, unknown.made?.verdict]).toEqual(['incomplete', 'inconclusive']);
    const fresh = await tried({ ...trial, served, env: { STACK29_FRESH_KEY: '1' } });
    expect([fresh.outcome, fresh.made?.reasons]).toEqual([
      'broken',
      ['a request was refused before the tokens of the day were used'],
    ]);
  });
});
