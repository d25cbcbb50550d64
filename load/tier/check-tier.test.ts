import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Behaviour, plainBehaviour } from '../../reference-server/behaviour.ts';
import { inHeaders } from '../../reference-server/change.ts';
import { type DialectId, dialects } from '../../reference-server/dialects.ts';
import { type FaultId, faults } from '../../reference-server/faults/index.ts';
import { problemsOf } from '../../specs/validate.ts';
import type { TierCheck, TierProfile } from '../../specs/wire.ts';
import { openTarget } from '../engine/test-rig.ts';
import { Contact, learnWording } from '../target.ts';
import { checkTier } from './check-tier.ts';

const limits = { requestsPerMinute: 12, concurrent: 3, tokensPerDay: 1_000_000 };

interface Trial {
  readonly checks: TierProfile['checks'];
  /** Of the server's key, where they differ from the stated ones. */
  readonly served?: Partial<typeof limits>;
  readonly behaviour?: Behaviour;
  readonly windowSeconds?: number;
  readonly tokensPerSecond?: number;
  readonly ttftMs?: number;
  readonly interruption?: AbortController;
  readonly stated?: TierProfile['limits'];
}

/** Checks a server on which the stated limits hold, but for what the trial changes. */
async function check({
  checks,
  served,
  behaviour = {},
  windowSeconds = 4,
  tokensPerSecond = 20,
  ttftMs = 0,
  stated = limits,
  interruption = new AbortController(),
}: Trial) {
  const { endpoint, close } = await openTarget({
    behaviour,
    windowSeconds,
    tokensPerSecond,
    ttftMs,
    limits: { ...limits, ...served },
  });
  const { signal } = interruption;
  const contact = new Contact(endpoint, signal);
  const workload = { promptTokens: 8, outputTokens: 1, transports: { json: 1 } };
  const profile: TierProfile = {
    kind: 'tier',
    name: 'trial',
    description: '',
    workload,
    tier: 'enterprise',
    limits: { ...stated, windowSeconds },
    checks,
  };
  expect(problemsOf('load-profile', profile)).toEqual([]);
  try {
    const wording = await learnWording(contact, workload, undefined);
    const { tier = [], outcome } = await checkTier(profile, { contact, wording, signal, say: () => {} });
    return { outcome, made: tier[0] as TierCheck };
  } finally {
    await contact.close();
    await close();
  }
}

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
  // The headers say what was promised, so that only the count gives it away.
  const behaviour = inHeaders(({ allowance: { used } }) => ({
    'X-RateLimit-Limit': '12',
    'X-RateLimit-Remaining': String(Math.max(0, 12 - used)),
  }));
  const { outcome, made } = await check({ checks: ['burst'], served: { requestsPerMinute }, behaviour });
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
    'a reset in a day',
    inHeaders(() => ({ 'X-RateLimit-Reset': String(Math.floor(Date.now() / 1000) + 86_400) })),
    'X-RateLimit-Reset',
  ],
])('headers that say %s are caught', async (_, behaviour, words) => {
  const { made } = await check({ checks: ['burst'], behaviour });
  expect([made.verdict, made.reasons.join('; ')]).toEqual(['broken', expect.stringContaining(words)]);
});

test.concurrent('what a tier does not state is read from the headers, or is not decided', async () => {
  const requests = await check({ checks: ['burst'], stated: {} });
  expect(requests.made).toMatchObject({ limit: 12, admitted: 12, verdict: 'holds' });
  const places = await check({ checks: ['concurrency'], stated: {} });
  expect(places.made).toMatchObject({
    verdict: 'inconclusive',
    reasons: [expect.stringContaining('limits.concurrent')],
  });
  expect(places.outcome).toBe('incomplete');
});

test.concurrent('requests at the pace of the limit are all admitted, and a lower limit is caught', async () => {
  const kept = await check({ checks: ['paced'], windowSeconds: 2 });
  expect(kept.made).toMatchObject({ sent: 12, admitted: 12, verdict: 'holds' });
  const lower = await check({ checks: ['paced'], windowSeconds: 2, served: { requestsPerMinute: 4 } });
  expect(lower.made).toMatchObject({ verdict: 'broken' });
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
    const { made, outcome } = await check({ checks: [which], windowSeconds: 2, behaviour });
    expect(made).toMatchObject({ other: 1, verdict: 'inconclusive', reasons: ['1 answers were neither 200 nor 429'] });
    expect(outcome).toBe('incomplete');
  },
);

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
  const { made, outcome } = await check({ checks: ['paced'], windowSeconds: 2, behaviour, interruption });
  expect([made, outcome]).toEqual([undefined, 'incomplete']);
});

test.concurrent('a clock of another hour breaks nothing', async () => {
  const behaviour = inHeaders(({ at }, { headers }) => ({
    Date: new Date(at - 7_200_000).toUTCString(),
    'X-RateLimit-Reset': String(Number(headers['X-RateLimit-Reset']) - 7_200),
  }));
  const { made } = await check({ checks: ['burst'], behaviour });
  expect([made.verdict, made.reasons]).toEqual(['holds', []]);
});

test.concurrent('answers slower than the pace leave it undecided', async () => {
  const { made } = await check({ checks: ['paced'], windowSeconds: 2, ttftMs: 1_500 });
  expect(made).toMatchObject({ refused: 0, verdict: 'inconclusive', reasons: [expect.stringContaining('too slow')] });
});

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

test.concurrent('a day of tokens is spent to the limit, and not beyond', async () => {
  const stated = { ...limits, tokensPerDay: 5_000 };
  const trial = { checks: ['tokens'] as TierProfile['checks'], stated, tokensPerSecond: 0 };
  const requestsPerMinute = 1_000;
  const kept = await check({ ...trial, served: { tokensPerDay: 5_000, requestsPerMinute } });
  expect(kept.made).toMatchObject({ limit: 5_000, refused: 1, verdict: 'holds' });
  const higher = await check({ ...trial, served: { tokensPerDay: 5_001, requestsPerMinute } });
  expect(higher.made).toMatchObject({
    verdict: 'broken',
    reasons: ['a request is admitted with 5000 of 5000 tokens spent'],
  });
  const lower = await check({ ...trial, served: { tokensPerDay: 3_000, requestsPerMinute } });
  expect(lower.made).toMatchObject({
    verdict: 'inconclusive',
    reasons: [expect.stringContaining('the limit is lower')],
  });
});

test.concurrent.each<[dialect: DialectId, check: TierCheck['check']]>([
  ['window-aligned', 'burst'],
  ['window-sliding', 'burst'],
  ['window-bucket', 'burst'],
  ['reset-rounded-down', 'burst'],
  ['reset-rounded-up', 'burst'],
  ['refusal-tells-its-own-limit', 'concurrency'],
  ['chats-queued', 'concurrency'],
])('%s is a form in which limits hold: %s', async (dialect, which) => {
  const served = which === 'concurrency' ? { requestsPerMinute: 1_000 } : {};
  const { made } = await check({ checks: [which], behaviour: dialects[dialect].behaviour, served });
  expect([made.verdict, made.reasons]).toEqual(['holds', []]);
});

test.concurrent.each<[fault: FaultId, check: TierCheck['check']]>([
  ['never-refused', 'burst'],
  ['counted-twice', 'burst'],
  ['window-endless', 'burst'],
  ['refusal-with-remaining', 'burst'],
  ['places-unlimited', 'concurrency'],
  ['one-place-fewer', 'concurrency'],
  ['tokens-unlimited', 'tokens'],
])('%s is caught by the check %s', async (fault, which) => {
  const stated = { ...limits, tokensPerDay: 4_000 };
  const served = { ...stated, ...(which !== 'burst' && { requestsPerMinute: 1_000 }) };
  const tokensPerSecond = which === 'tokens' ? 0 : 20;
  const { made } = await check({
    checks: [which],
    behaviour: faults[fault].behaviour,
    served,
    stated,
    tokensPerSecond,
  });
  expect([made.verdict, made.reasons.length > 0]).toEqual(['broken', true]);
});

test.concurrent.each([
  ['streams', true, 'after its client left'],
  // Two answers before the check keep theirs.
  ['whole answers', false, '1 of 3 streams were admitted'],
])('places that %s keep are caught', async (_, kept, words) => {
  const behaviour: Behaviour = {
    place: (place, { body }) => ((asked(body) === true) === kept ? { ...place, release: async () => {} } : place),
  };
  const served = { requestsPerMinute: 1_000, concurrent: 3 };
  const { made } = await check({ checks: ['concurrency'], behaviour, served });
  expect([made.verdict, made.reasons[0]]).toEqual(['broken', expect.stringContaining(words)]);
});

/** Whether a chat asks for a stream. */
function asked(body: unknown): unknown {
  return Object(body).stream;
}
