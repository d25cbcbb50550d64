import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { ApiError, rateLimited } from '../../../../reference-server/api-error.ts';
import type { Behaviour } from '../../../../reference-server/behaviour.ts';
import { inHeaders } from '../../../../reference-server/change.ts';
import { type FaultId, faults } from '../../../../reference-server/faults/index.ts';
import { sendOutgoing } from '../../../../reference-server/outgoing.ts';
import { onSockets } from '../../../../reference-server/websocket/change-socket.ts';
import { asked, keeping } from '../../../tier/test-rig.ts';
import { decided, tried } from './test-rig.ts';

/** Three bursts may be needed on a busy machine, and that three times. */
vi.setConfig({ testTimeout: 400_000, maxConcurrency: 3 });

/** Whether a chat is one of those that are to hold a place. */
const isLong = (body: unknown) => asked(body, 'max_tokens') === 1000;

describe.concurrent('requests at the same time', () => {
  const stated = { concurrent: 3 };

  test('a limit that holds is found to hold, and a place is free again', async () => {
    const { code, made } = await decided({ check: 'concurrency', stated, served: stated, tokensPerSecond: 250 });
    expect(made).toMatchObject({ limit: 3, sent: 7, expected: 6, admitted: 6, refused: 1, verdict: 'holds' });
    expect(code).toBe(0);
  });

  test.each([
    [2, 'requests within the limit were refused'],
    [4, 'more requests were admitted than the limit allows'],
    // As a server that counts each connection by itself.
    [1000, 'more requests were admitted than the limit allows'],
  ])('a limit of %i instead of 3 is caught', async (concurrent, words) => {
    const trial = { check: 'concurrency', stated, served: { concurrent }, tokensPerSecond: 250 } as const;
    const { code, outcome, made } = await decided(trial);
    expect([code, outcome, made?.reasons]).toEqual([99, 'broken', [words]]);
  });

  test.each<[fault: FaultId, words: string]>([
    ['places-unlimited', 'more requests were admitted than the limit allows'],
    ['one-place-fewer', 'requests within the limit were refused'],
  ])('the fault %s is caught', async (fault, words) => {
    const { behaviour = {} } = faults[fault];
    const { outcome, made } = await decided({
      check: 'concurrency',
      stated,
      served: stated,
      tokensPerSecond: 250,
      behaviour,
    });
    expect([outcome, made?.reasons.join()]).toEqual(['broken', expect.stringContaining(words)]);
  });

  test('places that are not given back are caught', async () => {
    const behaviour = keeping(isLong);
    const trial = { check: 'concurrency', stated, served: stated, tokensPerSecond: 250, behaviour } as const;
    const { outcome, made } = await decided(trial);
    expect([outcome, made?.reasons.join()]).toEqual(['broken', expect.stringContaining('left its place')]);
  });

  test('a chat that fails does not show that a place is free again', async () => {
    let held = 0;
    const behaviour: Behaviour = {
      decide(refusal, step, { body }) {
        if (step === 'place' && isLong(body)) held += 1;
        const isGone = step === 'place' && !isLong(body) && held > 0 && refusal === undefined;
        return isGone ? new ApiError('service_unavailable', 'gone') : refusal;
      },
    };
    const trial = { check: 'concurrency', stated, served: stated, tokensPerSecond: 250, behaviour } as const;
    const { outcome, made } = await tried(trial);
    expect([outcome, made?.reasons]).toEqual([
      'incomplete',
      ['some requests were neither admitted nor refused with 429'],
    ]);
  });

  test('one more that is admitted once alone may have had the place of another on its way', async () => {
    let held = 0;
    let more = 0;
    const behaviour: Behaviour = {
      decide(refusal, step, { body }) {
        if (step !== 'place') return refusal;
        if (isLong(body)) held += 1;
        else if (held > 0) more += 1;
        return more === 2 ? rateLimited('the other has its place', 1) : refusal;
      },
    };
    const trial = { check: 'concurrency', stated, served: {}, tokensPerSecond: 250, behaviour } as const;
    const { outcome, made } = await tried(trial);
    expect([outcome, made?.reasons]).toEqual([
      'incomplete',
      ['a request that came later had the place of one that was on its way for too long'],
    ]);
  });

  test('a chat that waits for a place is not taken for one that is admitted', async () => {
    const trial = { check: 'concurrency', stated, served: stated, tokensPerSecond: 250 } as const;
    const { outcome, made } = await tried({ ...trial, behaviour: { queue: true } });
    expect([outcome, made?.verdict]).toEqual(['incomplete', 'inconclusive']);
  });

  test('one that lost its place to a later one leaves the limit undecided', async () => {
    let chats = 0;
    const behaviour: Behaviour = {
      decide(refusal, step) {
        if (step === 'place') chats += 1;
        return step === 'place' && chats === 3 ? rateLimited('one that came later has its place', 1) : refusal;
      },
      async send(response, outgoing, answer) {
        if (answer.status === 429) await sleep(1_500);
        return sendOutgoing(response, outgoing);
      },
    };
    const trial = { check: 'concurrency', stated, served: stated, tokensPerSecond: 100, behaviour } as const;
    const { outcome, made } = await tried(trial);
    expect([outcome, made?.reasons]).toEqual([
      'incomplete',
      ['a request that came later had the place of one that was on its way for too long'],
    ]);
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

describe.concurrent('requests at the same time, some of them over sockets', () => {
  const stated = { concurrent: 3 };
  const trial = { check: 'concurrency', stated, served: stated, tokensPerSecond: 150, sockets: true } as const;

  test('a limit that holds is found to hold, and places are free again', async () => {
    const { code, made } = await decided(trial);
    expect(made).toMatchObject({ limit: 3, sent: 9, expected: 7, admitted: 7, refused: 2, verdict: 'holds' });
    expect(code).toBe(0);
  });

  test('the one place that there may be is tried over REST and over a socket', async () => {
    const one = { concurrent: 1 };
    const { made } = await decided({ ...trial, stated: one, served: one });
    expect(made).toMatchObject({ limit: 1, sent: 6, expected: 4, admitted: 4, refused: 2, verdict: 'holds' });
  });

  test.each([
    [2, 'requests within the limit were refused'],
    [4, 'more requests were admitted over REST than the limit leaves beside those over sockets'],
  ])('a limit of %i instead of 3 is caught', async (concurrent, words) => {
    const { outcome, made } = await decided({ ...trial, served: { concurrent } });
    expect([outcome, made?.reasons]).toEqual(['broken', [words]]);
  });

  test.each<FaultId>(['socket-places-apart', 'socket-limits-apart'])('the fault %s is caught', async (fault) => {
    const { outcome, made } = await decided({ ...trial, behaviour: faults[fault].behaviour });
    expect([outcome, made?.reasons[0]]).toEqual([
      'broken',
      'more requests were admitted over REST than the limit leaves beside those over sockets',
    ]);
  });

  test('want of requests is not taken for want of places', async () => {
    // As where each refusal is for the requests.
    const spent: Behaviour = {
      ...keeping(isLong),
      ...inHeaders((_, { status }) => (status === 429 ? { 'X-RateLimit-Remaining': '0' } : {})),
    };
    for (const changes of [{ served: { concurrent: 3, requestsPerMinute: 8 } }, { sockets: false, behaviour: spent }]) {
      const { outcome, made } = await tried({ ...trial, ...changes });
      expect([outcome, made?.reasons]).toEqual([
        'incomplete',
        ['the limit of requests leaves too few to see whether places are kept and free again'],
      ]);
    }
  });

  test.each([
    ['whole answers', false],
    ['streams that end by themselves', true],
  ])('places that %s keep are caught beside those of sockets', async (_, stream) => {
    const behaviour = keeping((body) => asked(body, 'stream') === stream && asked(body, 'max_tokens') === 1);
    const { outcome, made } = await decided({ ...trial, behaviour });
    expect([outcome, made?.reasons]).toEqual(['broken', ['requests within the limit were refused']]);
  });

  test('a socket that is not held to the limit is caught', async () => {
    const { outcome, made } = await decided({
      ...trial,
      behaviour: onSockets({ decide: (refusal, step) => (step === 'place' ? undefined : refusal) }),
    });
    expect([outcome, made?.reasons]).toEqual(['broken', ['a chat over a socket was admitted beyond the limit']]);
  });

  test('the place of a socket that its client left must be free again', async () => {
    const behaviour = keeping((body, url) => url.includes('/ws/') && isLong(body));
    const { outcome, made } = await decided({ ...trial, tokensPerSecond: 50, behaviour });
    expect([outcome, made?.reasons.join()]).toEqual(['broken', expect.stringContaining('had left its socket')]);
  });

  test('places that are free again far too late are caught', async () => {
    const behaviour: Behaviour = {
      place: (place, { body }) => {
        const release = async () => {
          // Nobody waits for it.
          void sleep(8_000).then(() => place.release());
        };
        return isLong(body) ? { ...place, release } : place;
      },
    };
    const { outcome, made } = await decided({ ...trial, sockets: false, behaviour });
    expect([outcome, made?.reasons.join()]).toEqual(['broken', expect.stringContaining('left its place')]);
  });
});
