import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import type { CapacityProfile } from '../../specs/wire.ts';
import { jobFor, startTarget, streams, unlimited } from '../engine/test-rig.ts';
import { ownMeasurer } from '../measurer.ts';
import { measureCapacity } from './measure-capacity.ts';

/** One request at a time, each for as long. */
function oneByOne(serviceMs: number): Behaviour {
  let last = Promise.resolve();
  return {
    async *output(events) {
      const turn = last.then(() => sleep(serviceMs));
      last = turn;
      await turn;
      yield* events;
    },
  };
}

const profile: CapacityProfile = {
  kind: 'capacity',
  name: 'trial',
  description: '',
  workload: { ...streams, outputTokens: 4 },
  search: { fromRate: 5, toRate: 200, stepSeconds: 2, warmUpSeconds: 0.2, repeats: 2, precision: 0.3, spacing: 'even' },
  slos: { ttft_p95: 300 },
};

async function capacityOf(behaviour: Behaviour, changes: Partial<CapacityProfile> = {}, limits = unlimited) {
  const target = await startTarget({ behaviour, limits });
  const { wording } = jobFor(target, { kind: 'closed', concurrency: 1 });
  const trial = { ...profile, ...changes };
  const settings = { seed: 1, path: '', signal: new AbortController().signal, onPulse: () => {}, say: () => {} };
  const measurer = ownMeasurer(target, { ...wording, workload: trial.workload });
  return measureCapacity(trial, { ...settings, measurer });
}

test('the knee of a target that serves 20 requests a second is found below that', async () => {
  const { capacity, outcome } = await capacityOf(oneByOne(50));
  // A machine that is busy with something else may be the limit, and then there is no figure.
  if (capacity?.withheld !== undefined) {
    expect([outcome, capacity.withheld]).toEqual(['incomplete', expect.stringContaining('the client was the limit')]);
    return;
  }
  expect(outcome).toBe('passed');
  expect(capacity?.rate).toBeGreaterThanOrEqual(5);
  expect(capacity?.rate).toBeLessThan(21);
  expect(capacity?.rateInterval?.[1]).toBeLessThanOrEqual(40);
  const broken = capacity?.points.filter(({ within }) => !within) ?? [];
  expect(broken.length).toBeGreaterThan(0);
  expect(capacity?.points.filter(({ rate }) => rate >= 25).every(({ within }) => !within)).toBe(true);
}, 60_000);

test('a limit of the key is not taken for the capacity of the target', async () => {
  const limits = { ...unlimited, requestsPerMinute: 30 };
  const { capacity, outcome } = await capacityOf(
    {},
    { search: { ...profile.search, fromRate: 20, stepSeconds: 2 } },
    limits,
  );
  expect(capacity?.rate).toBeUndefined();
  expect([outcome, capacity?.withheld]).toEqual([
    'incomplete',
    expect.stringContaining('the limit of the key refused requests'),
  ]);
}, 60_000);
