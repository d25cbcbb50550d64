import { describe, expect, test } from 'vitest';
import { ApiError, rateLimited } from '../reference-server/api-error.ts';
import type { Behaviour } from '../reference-server/behaviour.ts';
import { asked, changed } from '../reference-server/change.ts';
import { dialects } from '../reference-server/dialects.ts';
import { parseKeys } from '../reference-server/keys/key-entries.ts';
import { allowance, allowanceHeaders } from '../reference-server/limits/allowance.ts';
import { sendOutgoing } from '../reference-server/outgoing.ts';
import { startServer } from '../reference-server/server.ts';
import type { RecordedLine, RunOptions } from '../specs/evidence.ts';
import type { Report } from '../specs/report.ts';
import { replayClients } from './clients/client-runner.ts';
import { runLive } from './live-run.ts';
import { renderJson } from './report/json.ts';
import { run } from './run.ts';
import { trialBackend } from './self-test.ts';
import { tool } from './tool.ts';
import { skippingClock } from './transport/clock.ts';
import { openReplayWire } from './transport/replay.ts';

const key = 'sk-limits-test';
const exhaustedKey = 'sk-limits-exhausted';

interface Judged {
  readonly live: Report;
  /** The same evidence, judged again. */
  readonly again: Report;
}

/** Judges the limits of a key, on a clock on which no wait takes time. */
async function judge(
  entry: object,
  options: Partial<RunOptions>,
  behaviour: Behaviour = {},
  timeoutMs = 10_000,
): Promise<Judged> {
  const clock = skippingClock();
  const exhausted = { key: exhaustedKey, tier: 'free', tokensUsed: 100_000 };
  const keys = parseKeys(JSON.stringify([{ key, ...entry }, exhausted]), 'keys');
  const server = await startServer({ backend: trialBackend(), keys, behaviour, clock: clock.now });
  const lines: RecordedLine[] = [];
  const settings = {
    options: {
      url: server.url,
      profile: 'limits',
      only: [],
      disabledKey: false,
      exhaustedKey: true,
      ...options,
    } as const,
    startedAt: new Date().toISOString(),
  };
  try {
    const live = await runLive({
      ...settings,
      key,
      disabledKey: undefined,
      exhaustedKey,
      timeoutMs,
      concurrency: 4,
      clock,
      record: (line) => line.kind !== 'header' && lines.push(line),
    });
    return { live, again: await run({ ...settings, wire: openReplayWire(lines), clients: replayClients([]), tool }) };
  } finally {
    await server.close();
  }
}

const undecided = ({ results }: Report) =>
  results.filter(({ verdict }) => verdict !== 'pass').map(({ id, verdict, reason }) => [id, verdict, reason]);

const room = { maxRequests: 3_000, maxTokens: 500_000 };
const custom = { requestsPerMinute: 40, tokensPerDay: 1_000_000, concurrent: 3 };

describe('the limits of a tier', () => {
  test.each<[tier: string, entry: object, options: Partial<RunOptions>, exempt: string[]]>([
    ['free', { tier: 'free' }, { tier: 'free' }, []],
    ['pro', { tier: 'pro' }, { tier: 'pro', ...room }, []],
    [
      'enterprise',
      { tier: 'enterprise', limits: custom },
      { tier: 'enterprise', concurrent: 3 },
      ['limits.tier.number'],
    ],
  ])('%s are kept, and the evidence says so again', { timeout: 60_000 }, async (_, entry, options, exempt) => {
    const { live, again } = await judge(entry, options);
    expect(undecided(live).map(([id]) => id)).toEqual(exempt);
    expect(live.outcome).toBe('conformant');
    expect(renderJson(again)).toBe(renderJson(live));
  });

  test('are undecided where nobody says which tier it is, and the reason says what to give', async () => {
    const { live } = await judge({ tier: 'free' }, {});
    expect(undecided(live)).toEqual([
      ['limits.tier.number', 'inconclusive', expect.stringContaining('--tier')],
      ...['admitted', 'refused', 'freed'].map((rule) => [
        `limits.concurrent.${rule}`,
        'inconclusive',
        expect.stringContaining('--concurrent'),
      ]),
      ...['concurrent', 'freed'].map((rule) => [
        `limits.shared.${rule}`,
        'inconclusive',
        expect.stringContaining('--concurrent'),
      ]),
    ]);
  });

  test('are broken by a key of another tier than was said', async () => {
    const { live } = await judge({ tier: 'free' }, { tier: 'pro' });
    expect(
      undecided(live)
        .filter(([, verdict]) => verdict === 'fail')
        .map(([id]) => id),
    ).toEqual(['limits.tier.number', 'limits.concurrent.admitted']);
  });
});

const verdictsOf = ({ results }: Report) => Object.fromEntries(results.map(({ id, verdict }) => [id, verdict]));
const brokenIn = ({ results }: Report) =>
  results.filter(({ verdict }) => ['fail', 'warn', 'error'].includes(verdict)).map(({ id }) => id);

/** Of the short chats that spend the limit: which one it is, from 1. */
const shortChats = (act: (count: number) => ApiError | undefined): Behaviour => {
  let count = 0;
  return {
    decide(refusal, step, exchange) {
      if (step !== 'body' || refusal !== undefined || asked(exchange).max_tokens !== 1) return refusal;
      count += 1;
      return act(count);
    },
  };
};

const down = () => new ApiError('service_unavailable', 'back later');

describe('a key that may do less than the limit on requests says', () => {
  const options = { tier: 'enterprise', concurrent: 3 } as const;

  test.each([100, 150, 200, 250, 300, 400, 500])(
    'has %i tokens left of its day: what they refuse breaks no other limit',
    { timeout: 60_000 },
    async (tokensPerDay) => {
      const { live, again } = await judge({ tier: 'enterprise', limits: { ...custom, tokensPerDay } }, options);
      expect(brokenIn(live)).toEqual([]);
      expect(undecided(live).map(([, , reason]) => reason)).toContainEqual(
        expect.stringMatching(/tokens of the day|not answered|status 429|answered with 429/),
      );
      expect(renderJson(again)).toBe(renderJson(live));
    },
  );

  /** A 429 that does not say for which limit it is. */
  const plainly = (retryAfter: string | undefined, leave: readonly string[] = []): Behaviour => ({
    answer(answer) {
      if (answer.status !== 429) return answer;
      const kept = Object.entries(answer.headers).filter(([name]) => !['Retry-After', ...leave].includes(name));
      return {
        ...answer,
        headers: { ...Object.fromEntries(kept), ...(retryAfter && { 'Retry-After': retryAfter }) },
        body: changed(answer.body, '/error/message', 'Too Many Requests'),
      };
    },
  });

  test.each<[string, Behaviour]>([
    ['without a time', plainly(undefined)],
    ['without a time and headers', plainly(undefined, Object.keys(allowanceHeaders(allowance(1, 0, 0))))],
    ['with a short time', plainly('1')],
    ['with a minute', plainly('60')],
  ])('has none left amid the run, and the refusal is plain, %s', { timeout: 120_000 }, async (_, behaviour) => {
    for (const tokensPerDay of [60, 450, 1_300]) {
      const limits = { ...custom, tokensPerDay };
      const { live, again } = await judge({ tier: 'enterprise', limits }, options, behaviour);
      const ofForm = /^(errors\.rate-limit\.retry-after|limits\.headers\.|limits\.retry-after\.reset)/;
      expect([tokensPerDay, brokenIn(live).filter((id) => !ofForm.test(id))]).toEqual([tokensPerDay, []]);
      expect(renderJson(again)).toBe(renderJson(live));
    }
  });

  test.each([1, 2, 3])('runs %i chats at a time', { timeout: 60_000 }, async (concurrent) => {
    const limits = { ...custom, concurrent };
    const { live, again } = await judge({ tier: 'enterprise', limits }, { ...options, concurrent });
    expect(undecided(live).map(([id]) => id)).toEqual(['limits.tier.number']);
    expect(renderJson(again)).toBe(renderJson(live));
  });
});

test('a refusal for another limit than that on requests may tell of that one', async () => {
  const { behaviour } = dialects['refusal-tells-its-own-limit'];
  const limits = { ...custom, concurrent: 2 };
  const { live } = await judge({ tier: 'enterprise', limits }, { tier: 'enterprise', concurrent: 2 }, behaviour);
  expect(brokenIn(live)).toEqual([]);
  expect(verdictsOf(live)['limits.requests.admitted']).toBe('pass');
});

describe('spending that something else disturbs', () => {
  test.each([
    ['a 500', new ApiError('internal_error', 'a stray one')],
    ['a 503', down()],
    ['a 429 for the moment', new ApiError('rate_limit_exceeded', 'something else')],
  ])('goes on after %s, which may have counted', async (_, error) => {
    const { live, again } = await judge(
      { tier: 'free' },
      { tier: 'free' },
      shortChats((count) => (count === 15 ? error : undefined)),
    );
    expect(undecided(live)).toEqual([]);
    expect(renderJson(again)).toBe(renderJson(live));
  });

  test.each([
    ['without an answer', 'unanswered'],
    ['with a dropped connection', 'dropped'],
  ])('goes on after a chat %s, which may have counted', async (_, way) => {
    let count = 0;
    const { live, again } = await judge(
      { tier: 'free' },
      { tier: 'free' },
      {
        async send(response, outgoing, _answer, exchange) {
          if (asked(exchange).max_tokens === 1) count += 1;
          if (count !== 15) return sendOutgoing(response, outgoing);
          count += 1;
          if (way === 'dropped') response.destroy();
        },
      },
      2_000,
    );
    expect(undecided(live).filter(([id]) => id !== 'http.response.complete')).toEqual([]);
    expect(renderJson(again)).toBe(renderJson(live));
  });

  test('decides nothing where the target is down from then on', async () => {
    const { live, again } = await judge(
      { tier: 'free' },
      { tier: 'free' },
      shortChats((count) => (count > 15 ? down() : undefined)),
    );
    expect(brokenIn(live)).toEqual([]);
    const verdicts = verdictsOf(live);
    for (const id of ['errors.rate-limit.status', 'limits.requests.refused', 'limits.requests.admitted']) {
      expect([id, verdicts[id]]).toEqual([id, 'inconclusive']);
    }
    expect(renderJson(again)).toBe(renderJson(live));
  });

  test('decides nothing where every connection is dropped from then on', async () => {
    let count = 0;
    const { live, again } = await judge(
      { tier: 'free' },
      { tier: 'free' },
      {
        async send(response, outgoing, _, exchange) {
          if (asked(exchange).max_tokens === 1) count += 1;
          if (count > 15) response.destroy();
          else await sendOutgoing(response, outgoing);
        },
      },
    );
    expect(brokenIn(live).filter((id) => id.startsWith('limits.') || id.startsWith('errors.'))).toEqual([]);
    const verdicts = verdictsOf(live);
    expect(verdicts['errors.rate-limit.status']).toBe('inconclusive');
    expect(verdicts['limits.requests.refused']).toBe('inconclusive');
    expect(renderJson(again)).toBe(renderJson(live));
  });
});

test.each([1, 2])('a limit that refuses %i too early is not passed', async (early) => {
  const { live } = await judge(
    { tier: 'free' },
    { tier: 'free' },
    {
      decide(refusal, step, { requests, allowance, at }) {
        if (step !== 'limits' || requests <= allowance.limit - early) return refusal;
        const none = { ...allowance, used: allowance.limit, remaining: 0 };
        return rateLimited('the limit is reached', allowance.reset - at / 1000, none);
      },
    },
  );
  expect(brokenIn(live)).toEqual(['limits.requests.admitted']);
});

describe('a queue', () => {
  const queued = (concurrent: number) =>
    judge(
      { tier: 'enterprise', limits: { ...custom, concurrent } },
      { tier: 'enterprise', concurrent: 5, only: ['limits.concurrent.*'] },
      { queue: true },
    );

  test.each([1, 2])(
    'with room for %i where the tier has 5 is not taken for it',
    { timeout: 60_000 },
    async (concurrent) => {
      const { live, again } = await queued(concurrent);
      expect(verdictsOf(live)).toEqual({
        'limits.concurrent.admitted': 'fail',
        'limits.concurrent.refused': 'inconclusive',
        'limits.concurrent.freed': 'inconclusive',
      });
      expect(renderJson(again)).toBe(renderJson(live));
    },
  );

  test('with as much room as the tier has keeps its limit', async () => {
    const { live } = await queued(5);
    expect(new Set(Object.values(verdictsOf(live)))).toEqual(new Set(['pass']));
  });
});

test('twenty runs of the profile limits give the same verdicts', { timeout: 180_000 }, async () => {
  for (let count = 0; count < 20; count += 1) {
    expect(undecided((await judge({ tier: 'free' }, { tier: 'free' })).live)).toEqual([]);
  }
});
