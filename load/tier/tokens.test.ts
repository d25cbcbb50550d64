import { describe, expect, test, vi } from 'vitest';
import { rateLimited } from '../../reference-server/api-error.ts';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import { faults } from '../../reference-server/faults/index.ts';
import { unlimited } from '../engine/test-rig.ts';
import { asked, check, limits, type Trial } from './test-rig.ts';
import { nextLength } from './tokens.ts';

/** They wait most of the time. */
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 24 });

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

  test('without a limit are caught', async () => {
    const { made } = await spend(day, { behaviour: faults['tokens-unlimited'].behaviour, sockets: false });
    expect([made.verdict, made.reasons.length > 0]).toEqual(['broken', true]);
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
