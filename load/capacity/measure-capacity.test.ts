import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import type { CapacityProfile, ClientHealth } from '../../specs/wire.ts';
import { jobFor, measurerHere, openTarget, streams, unlimited } from '../engine/test-rig.ts';
import type { Measurer } from '../measurer.ts';
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

interface Circumstances {
  readonly limits?: typeof unlimited;
  /** What else is true of the client than it was. */
  readonly client?: Partial<ClientHealth>;
  /** Chats after which the target is gone. */
  readonly chats?: number;
}

async function capacityOf(
  behaviour: Behaviour,
  changes: Partial<CapacityProfile> = {},
  { limits = unlimited, client, chats = Number.POSITIVE_INFINITY }: Circumstances = {},
) {
  let begun = 0;
  let closing: Promise<void> | undefined;
  const generation: Behaviour['generation'] = (asked) => {
    begun += 1;
    if (begun === chats) closing = close();
    return asked;
  };
  const { endpoint: target, close } = await openTarget({ behaviour: { ...behaviour, generation }, limits });
  onTestFinished(() => closing ?? close());
  const { wording } = jobFor(target, { kind: 'closed', concurrency: 1 });
  const trial = { ...profile, ...changes };
  const settings = { seed: 1, path: '', signal: new AbortController().signal, onPulse: () => {}, say: () => {} };
  const own = measurerHere(target, { ...wording, workload: trial.workload });
  const measurer: Measurer = {
    async measure(...task) {
      const totals = await own.measure(...task);
      return client === undefined ? totals : { ...totals, clientHealth: { ...totals.clientHealth, ...client } };
    },
  };
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
    { limits },
  );
  expect(capacity?.rate).toBeUndefined();
  expect([outcome, capacity?.withheld]).toEqual([
    'incomplete',
    expect.stringContaining('the limit of the key refused requests'),
  ]);
}, 60_000);

/** A search of two rates, that a target with nothing else to do carries. */
const easy = { slos: { ttft_p95: 20_000 }, search: { ...profile.search, fromRate: 10, toRate: 20 } };

test('steps that are too short to tell whether the queue grows have not held', async () => {
  const { capacity, outcome } = await capacityOf({}, { ...easy, search: { ...easy.search, stepSeconds: 0.6 } });
  expect(capacity?.points.map(({ within, broken }) => [within, broken])).toEqual([[false, []]]);
  expect([outcome, capacity?.rate]).toEqual(['incomplete', undefined]);
  expect(capacity?.withheld).toContain('too short to tell whether the queue grows: give a longer --duration');
  const none = await capacityOf({}, { ...easy, search: { ...easy.search, fromRate: 0.01, stepSeconds: 0.6 } });
  expect(none.capacity?.withheld).toContain('too short for a single request');
}, 60_000);

test('every reason to withhold a figure is told, of a client that was late with what seemed to hold', async () => {
  const client = {
    cpu: 0.97,
    lateSends: { count: 50, p99Ms: 3_000, maxMs: 4_000 },
    isLimit: true,
    reasons: ['a process of the client used 97% of a core'],
  };
  const { capacity, outcome } = await capacityOf(
    {},
    { ...easy, search: { ...easy.search, stepSeconds: 0.6 } },
    { client },
  );
  expect(capacity?.points.some(({ within }) => within)).toBe(false);
  expect([outcome, capacity?.rate]).toEqual(['incomplete', undefined]);
  for (const words of [
    'the client was the limit at 10 req/s (a process of the client used 97% of a core)',
    'too short to tell',
    'which leaves ttft_p95 in doubt',
    'so late that the queue need not have grown',
  ]) {
    expect(capacity?.withheld).toContain(words);
  }
}, 60_000);

test('a rate at which the target was gone has not held', async () => {
  const { capacity, outcome, endedEarly } = await capacityOf(
    {},
    { search: { ...easy.search, fromRate: 20, stepSeconds: 30 } },
    { chats: 15 },
  );
  expect([endedEarly, outcome, capacity?.withheld]).toEqual([
    'target gone',
    'incomplete',
    'the target stopped answering',
  ]);
  expect(capacity?.points.at(-1)).toMatchObject({
    within: false,
    undecided: expect.arrayContaining(['the target stopped answering']),
  });
}, 60_000);

test('a target that is gone at a rate so low that few requests miss it is told all the same', async () => {
  const search = { ...easy.search, fromRate: 4, stepSeconds: 3 };
  const { capacity, outcome, endedEarly } = await capacityOf({}, { search }, { chats: 5 });
  expect([endedEarly, outcome, capacity?.withheld]).toEqual([
    'target gone',
    'incomplete',
    'the target stopped answering',
  ]);
  expect(capacity?.points.length).toBeLessThanOrEqual(2);
}, 60_000);
