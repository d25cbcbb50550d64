import { expect, test } from 'vitest';
import type { LoadChoices } from './options.ts';
import { readProfile, validProfile } from './profile.ts';
import { settle } from './settle.ts';

const none: LoadChoices = {
  header: [],
  slo: [],
  threshold: [],
  limit: [],
  workers: 1,
  engine: 'embedded',
  format: 'terminal',
  color: false,
};

const settled = async (name: string, choices: Partial<LoadChoices> = {}) =>
  settle(await readProfile(name), { ...none, ...choices });

test('without options a profile stays as it is', async () => {
  for (const name of ['steady', 'capacity', 'tier-pro']) expect(await settled(name)).toEqual(await readProfile(name));
});

test('options change what they name, and nothing else', async () => {
  const steady = await readProfile('steady');
  expect(await settled('steady', { rate: 50 })).toEqual({ ...steady, arrival: { kind: 'poisson', rate: 50 } });
  expect(await settled('steady', { concurrency: 9 })).toEqual({
    ...steady,
    arrival: { kind: 'closed', concurrency: 9 },
  });
  const changed = await settled('steady', { tokens: 7, promptTokens: 8, transport: 'json', timeout: 5, warmUp: 0 });
  expect(changed).toEqual({
    ...steady,
    workload: { ...steady.workload, outputTokens: 7, promptTokens: 8, transports: { json: 1 } },
    timeoutSeconds: 5,
    warmUpSeconds: 0,
  });
});

test('who names one length does not get the other of the profile', async () => {
  expect(await settled('smoke', { duration: 3 })).not.toHaveProperty('requests');
  expect(await settled('steady', { requests: 3 })).not.toHaveProperty('durationSeconds');
});

test('a ramp of another length keeps its shape', async () => {
  const spike = await settled('spike', { duration: 6 });
  expect(spike).not.toHaveProperty('durationSeconds');
  expect(spike).toMatchObject({
    arrival: {
      fromRate: 2,
      stages: [
        { toRate: 2, seconds: 2 },
        { toRate: 40, seconds: 0.1 },
        { toRate: 40, seconds: 0.9 },
        { toRate: 2, seconds: 0.1 },
        { toRate: 2, seconds: 2.9 },
      ],
    },
  });
  expect(await settled('spike', { duration: 6, rate: 3 })).toMatchObject({
    arrival: { kind: 'poisson', rate: 3 },
    durationSeconds: 6,
  });
});

test('bounds join those of the profile', async () => {
  const profile = await settled('steady', {
    slo: [{ name: 'ttft_p95', bound: { atMost: 500 } }],
    threshold: [{ name: 'goodput', bound: { atLeast: 3 } }],
  });
  expect(profile).toMatchObject({
    slos: { ttft_p95: 500 },
    thresholds: { error_fraction: { atMost: 0.01 }, requests_succeeded: { atLeast: 1 }, goodput: { atLeast: 3 } },
  });
});

test('a search takes its own meaning of options', async () => {
  const profile = await settled('capacity', {
    duration: 4,
    warmUp: 1,
    rate: 0.5,
    slo: [{ name: 'e2e_p99', bound: { atMost: 9 } }],
  });
  expect(profile).toMatchObject({ search: { stepSeconds: 4, warmUpSeconds: 1, fromRate: 0.5, toRate: 0.5 } });
  expect('slos' in profile && profile.slos).toEqual({ e2e_p99: 9 });
});

test('limits of a tier are those of its profile, but for what is stated otherwise', async () => {
  const profile = await settled('tier-free', {
    limit: [
      { name: 'windowSeconds', value: 3 },
      { name: 'requestsPerMinute', value: 12 },
    ],
  });
  const limits = { requestsPerMinute: 12, concurrent: 5, tokensPerDay: 100_000, windowSeconds: 3 };
  expect(profile).toEqual({ ...(await readProfile('tier-free')), limits });
});

test('a fresh key is told to either engine', async () => {
  const profile = await readProfile('tier-free');
  for (const engine of ['embedded', 'k6'] as const) {
    expect(await settled('tier-free', { freshKey: true, engine })).toEqual(profile);
  }
});

test('tokens are checked by themselves, as what other checks spend is not known to a token', async () => {
  const profile = { ...(await readProfile('tier-free')), checks: ['concurrency', 'tokens'] };
  expect(() => validProfile(profile, 'it')).toThrow('/checks: tokens counts to a token');
  expect(validProfile({ ...profile, checks: ['tokens'] }, 'it')).toMatchObject({ checks: ['tokens'] });
});

test.each<[profile: string, choices: Partial<LoadChoices>, words: string]>([
  ['capacity', { concurrency: 4 }, '--concurrency means nothing to the capacity profile capacity'],
  ['steady', { freshKey: true }, '--fresh-key means nothing to the traffic profile steady'],
  ['steady', { limit: [{ name: 'concurrent', value: 4 }] }, '--limit means nothing to the traffic profile steady'],
  ['tier-free', { warmUp: 4 }, '--warm-up means nothing to the tier profile tier-free'],
  ['tier-free', { transport: 'sse' }, '--transport means nothing to the tier profile tier-free'],
  ['tier-free', { transport: 'sse', engine: 'k6' }, '--transport means nothing to the tier profile tier-free'],
  ['tier-free', { tokens: 4 }, '--tokens means nothing'],
  ['tier-free', { promptTokens: 4 }, '--prompt-tokens means nothing'],
  ['tier-free', { timeout: 4 }, '--timeout means nothing'],
  ['tier-free', { workers: 2 }, '--workers means nothing'],
])('%s refuses an option that it has no use for', async (name, choices, words) => {
  await expect(settled(name, choices)).rejects.toThrow(words);
});
