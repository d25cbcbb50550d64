import { expect, test } from 'vitest';
import { requirementIds, requirements } from '../../specs/requirements/index.ts';
import { dialects } from '../dialects.ts';
import { faults } from './index.ts';

const tripped = new Set(Object.values(faults).flatMap(({ trips }) => trips));

test.each(requirementIds.filter((id) => requirements[id].unobservable === undefined))('%s has a fault', (id) => {
  expect(tripped).toContain(id);
});

test('no fault breaks what no check can see', () => {
  expect([...tripped].filter((id) => requirements[id].unobservable !== undefined)).toEqual([]);
});

test('a dialect leaves nothing unmet but requirements of level MAY', () => {
  const unmet = Object.values(dialects).flatMap(({ notes = [] }) => notes);
  expect(unmet.map((id) => requirements[id].level)).toEqual(unmet.map(() => 'MAY'));
});

test('faults and dialects are told apart by name and description', () => {
  const all = [...Object.entries(faults), ...Object.entries(dialects)];
  expect(new Set(all.map(([name]) => name)).size).toBe(all.length);
  expect(new Set(all.map(([, { description }]) => description)).size).toBe(all.length);
});
