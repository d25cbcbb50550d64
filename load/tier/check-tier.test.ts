import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { Exchange } from '../../reference-server/admission.ts';
import { ApiError, rateLimited } from '../../reference-server/api-error.ts';
import { type Behaviour, plainBehaviour } from '../../reference-server/behaviour.ts';
import { inHeaders, membersOf } from '../../reference-server/change.ts';
import { type DialectId, dialects } from '../../reference-server/dialects.ts';
import { type FaultId, faults } from '../../reference-server/faults/index.ts';
import { onSockets } from '../../reference-server/websocket/change-socket.ts';
import { problemsOf } from '../../specs/validate.ts';
import type { TierCheck, TierProfile } from '../../specs/wire.ts';
import { openTarget, secondKey, unlimited } from '../engine/test-rig.ts';
import { findKeyPlace } from '../find-key-place.ts';
import { Contact, learnWording } from '../target.ts';
import { measureTier } from './measure-tier.ts';
import { nextLength } from './tokens.ts';

/** They wait most of the time. */
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 24 });

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
  /** Whether a part goes over sockets. */
  readonly sockets?: boolean;
  /** Whether another server answers sockets, with counts of its own. */
  readonly socketsApart?: boolean;
  /** Whether there is a second key. */
  readonly second?: boolean;
  readonly isFresh?: boolean;
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
  sockets = false,
  socketsApart = false,
  second = false,
  isFresh = false,
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
  const workload = { promptTokens: 8, outputTokens: 1, transports: { json: 1, ...(sockets && { websocket: 1 }) } };
  const apart = socketsApart ? await openTarget({ behaviour, tokensPerSecond, limits: unlimited }) : undefined;
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
    const socketEndpoint = apart?.endpoint ?? endpoint;
    const found = await findKeyPlace(socketEndpoint, wording, signal);
    const { tier = [], outcome } = await measureTier(profile, {
      endpoint: socketEndpoint,
      contact,
      wording: { ...wording, ...(found && { keyPlace: found.place }) },
      found,
      secondKey: second ? secondKey : undefined,
      isFresh,
      signal,
      view: { say: () => {}, show: () => {} },
    });
    return { outcome, made: tier[0] as TierCheck };
  } finally {
    await contact.close();
    await apart?.close();
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
    const { made, outcome } = await check({
      ...(which === 'paced' ? paced : { checks: [which], windowSeconds: 2 }),
      behaviour,
    });
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
  const { made, outcome } = await check({ ...paced, behaviour, interruption });
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

describe.concurrent('tokens of a day', () => {
  const day = 5_000;
  const stated = { ...limits, tokensPerDay: day };
  const spend = (tokensPerDay: number, changes: Partial<Trial> = {}) =>
    check({
      checks: ['tokens'],
      stated,
      served: { tokensPerDay, requestsPerMinute: 1_000 },
      tokensPerSecond: 0,
      second: true,
      sockets: true,
      isFresh: true,
      ...changes,
    });

  test('are spent to the limit and not beyond, on one key from above and on another from below', async () => {
    const { made, outcome } = await spend(day);
    expect(made).toMatchObject({ limit: day, refused: 2, other: 0, verdict: 'holds', reasons: [] });
    expect(outcome).toBe('passed');
  });

  test.each([
    [day - 1, 'the second key is refused with 4999 of 5000 tokens spent: the limit is lower'],
    [day + 1, 'a request is admitted with 5000 of 5000 tokens spent'],
    [day - 20, 'tokens is refused with'],
    [2 * day, 'a request is admitted with 5000 of 5000 tokens spent'],
  ])('a limit of %i instead of 5000 is caught', async (served, words) => {
    const { made } = await spend(served);
    expect([made.verdict, made.reasons.join('; ')]).toEqual(['broken', expect.stringContaining(words)]);
  });

  test('that are counted apart over sockets are caught', async () => {
    const { made } = await spend(day, { socketsApart: true });
    expect([made.verdict, made.reasons]).toEqual(['broken', ['a request is admitted with 5000 of 5000 tokens spent']]);
  });

  test('of one key alone do not show a limit that is lower by less than a chat', async () => {
    const { made } = await spend(day - 1, { second: false });
    expect([made.verdict, made.reasons.join()]).toEqual(['inconclusive', expect.stringContaining('--second-key')]);
  });

  test('may have been spent by others, where nobody says that the keys are fresh', async () => {
    const { made } = await spend(3_000, { isFresh: false });
    expect([made.verdict, made.reasons.join()]).toEqual(['inconclusive', expect.stringContaining('--fresh-key')]);
  });

  // A server that refuses what could go beyond the limit, as one that sets tokens aside for an answer.
  const reserving = (limit: number): Behaviour => {
    const spent = new Map<string, number>();
    const promptOf = (body: unknown) => {
      const [message] = asked(body, 'messages') as readonly { readonly content: string }[];
      return 1 + (message?.content.split(' ').length ?? 0);
    };
    return {
      decide(refusal, step, { account, body }) {
        if (step !== 'tokens') return refusal;
        const worth = promptOf(body) + Number(asked(body, 'max_tokens'));
        return (spent.get(account.id) ?? 0) + worth > limit ? rateLimited('the tokens are used', 3_600) : undefined;
      },
      async *output(events, { account, body }) {
        for await (const event of events) {
          const tokens = event.type === 'end' ? promptOf(body) + event.completionTokens : 0;
          spent.set(account.id, (spent.get(account.id) ?? 0) + tokens);
          yield event;
        }
      },
    };
  };

  test.each([
    [day, 'holds'],
    [day - 1, 'broken'],
    [day + 1, 'inconclusive'],
  ] as const)(
    'of a server that sets aside what an answer may take are seen with one key: %i',
    async (limit, verdict) => {
      const { made } = await spend(unlimited.tokensPerDay, {
        behaviour: reserving(limit),
        second: false,
        sockets: false,
      });
      expect([made.verdict, made.reasons]).toEqual([verdict, made.reasons]);
    },
  );

  test.each([
    [1_000_000, 9, 3_000, 3_000],
    [200, 9, 3_000, 111],
    [90, 9, 3_000, 1],
    [95, 9, 3_000, 6],
    [10, 9, 3_000, 1],
    [9, 9, 3_000, undefined],
  ])('with %i left and prompts of %i, at most %i, the next answer has %s', (left, prompt, most, length) => {
    expect(nextLength(left, prompt, most)).toBe(length);
  });
});

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
    const behaviour = inHeaders(({ allowance: { used } }) => ({
      'X-RateLimit-Limit': '12',
      'X-RateLimit-Remaining': String(Math.max(0, 12 - used)),
    }));
    const { made } = await check({ checks: ['burst'], sockets, served: { requestsPerMinute }, behaviour });
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
    const onSocket = ({ url }: Exchange) => url.includes('/ws/');
    const behaviour: Behaviour = {
      // Those of the chats before the check are let go.
      place: (place, exchange) =>
        onSocket(exchange) && asked(exchange.body, 'max_tokens') !== 1 ? { ...place, release: async () => {} } : place,
    };
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
  ['headers-constant', 'burst'],
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
  ['streams', (stream: boolean) => stream, 'after its client left'],
  ['streams that end by themselves', (stream: boolean, tokens: unknown) => stream && tokens === 1, 'its answer ended'],
  // Two answers before the check keep theirs.
  ['whole answers', (stream: boolean) => !stream, '1 of 3 streams were admitted'],
])('places that %s keep are caught', async (_, isKept, words) => {
  const behaviour: Behaviour = {
    place: (place, { body }) =>
      isKept(asked(body, 'stream') === true, asked(body, 'max_tokens')) ? { ...place, release: async () => {} } : place,
  };
  const served = { requestsPerMinute: 1_000, concurrent: 3 };
  const { made } = await check({ checks: ['concurrency'], behaviour, served });
  expect([made.verdict, made.reasons[0]]).toEqual(['broken', expect.stringContaining(words)]);
});

/** A member of a chat. */
function asked(body: unknown, member: string): unknown {
  return membersOf(body)[member];
}
