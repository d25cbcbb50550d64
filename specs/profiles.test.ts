import { expect, test } from 'vitest';
import { type ProfileName, profiles } from './profiles.ts';
import { requirementIds, requirements } from './requirements/index.ts';

const names = Object.keys(profiles) as ProfileName[];
const observable = requirementIds.filter((id) => !requirements[id].unobservable);

test('sizes and digests are those that were published', async () => {
  const lines = names.map((name) => `${name} ${profiles[name].ids.length} ${profiles[name].digest}\n`).join('');
  await expect(lines).toMatchFileSnapshot('./profiles.txt');
});

test('full holds every requirement that a check can see', () => {
  expect(profiles.full.ids).toEqual(observable);
});

test('the topics share nothing, and lack of full only what no topic is about', () => {
  const { standard: _, full: __, ...topics } = profiles;
  const parts = Object.values(topics).flatMap(({ ids }) => ids);
  const apart = new Set<string | undefined>([
    'disabled-key',
    'exhausted-key',
    'long-prompt',
    'fault-header',
    'server-tools',
  ]);
  const lacking = observable.filter((id) => apart.has(requirements[id].need));
  expect([...parts, ...lacking].toSorted()).toEqual(observable.toSorted());
});

test('standard holds what needs no more than a URL and one key', () => {
  expect(profiles.standard.ids).toEqual(observable.filter((id) => !requirements[id].need));
  expect(profiles.standard.ids.length).toBeLessThan(profiles.full.ids.length);
});

test('profiles cannot be changed', () => {
  for (const name of names) {
    expect(profiles[name].name).toBe(name);
    expect(Object.isFrozen(profiles[name]) && Object.isFrozen(profiles[name].ids)).toBe(true);
  }
});
