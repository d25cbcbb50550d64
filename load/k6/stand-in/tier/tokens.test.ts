import { describe, expect, test, vi } from 'vitest';
import { type FaultId, faults } from '../../../../reference-server/faults/index.ts';
import { secondKey } from '../../../engine/test-rig.ts';
import { type Trial, tried } from './test-rig.ts';

/** Three bursts may be needed on a busy machine, and that three times. */
vi.setConfig({ testTimeout: 400_000, maxConcurrency: 3 });

describe.concurrent('tokens a day', () => {
  const day = 5_000;
  const stated = { tokensPerDay: day };
  const both = { STACK29_SECOND_KEY: secondKey, STACK29_FRESH_KEY: '1' };
  const trial = { check: 'tokens', stated, sockets: true, env: both } as const;
  const spend = (tokensPerDay: number, changes: Partial<Trial> = {}) =>
    tried({ ...trial, served: { tokensPerDay }, ...changes });

  test('are spent to the limit and not beyond, on one key from above and on another from below', async () => {
    const { code, made } = await spend(day);
    const { admitted = 0 } = made ?? {};
    expect(made).toEqual({
      check: 'tokens',
      limit: day,
      sent: admitted + 2,
      expected: admitted,
      admitted,
      refused: 2,
      other: 0,
      verdict: 'holds',
      reasons: [],
    });
    expect(code).toBe(0);
  });

  test.each([
    [day - 1, 'a request was refused before the tokens of the day were used'],
    [day + 1, 'a request was admitted with all the tokens of the day spent'],
    [day - 20, 'a request was refused before the tokens of the day were used'],
    [2 * day, 'a request was admitted with all the tokens of the day spent'],
  ])('a limit of %i instead of 5000 is caught', async (served, words) => {
    const { code, outcome, made } = await spend(served);
    expect([code, outcome, made?.reasons]).toEqual([99, 'broken', [words]]);
  });

  test.each<FaultId>(['socket-tokens-unlimited', 'socket-limits-apart'])('the fault %s is caught', async (fault) => {
    const { outcome, made } = await spend(day, { behaviour: faults[fault].behaviour });
    expect([outcome, made?.reasons]).toEqual([
      'broken',
      ['a chat over a socket was admitted with all the tokens of the day spent'],
    ]);
  });

  test('of one key alone do not show a limit that is lower by less than a chat', async () => {
    const { code, outcome, made } = await spend(day - 1, { env: { STACK29_FRESH_KEY: '1' } });
    expect([code, outcome, made?.verdict]).toEqual([99, 'incomplete', 'inconclusive']);
    expect(made?.reasons.join()).toContain('--second-key');
  });

  test('may have been spent by others, where nobody says that the keys are fresh', async () => {
    const { outcome, made } = await spend(2_000, { env: { STACK29_SECOND_KEY: secondKey } });
    expect([outcome, made?.verdict, made?.reasons.join()]).toEqual([
      'incomplete',
      'inconclusive',
      expect.stringContaining('--fresh-key'),
    ]);
  });
});
