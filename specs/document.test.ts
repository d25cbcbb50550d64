import { expect, test } from 'vitest';
import { documentHeadings } from './document.ts';
import { requirementIds, requirements } from './requirements/index.ts';

const sources = new Set<string>(requirementIds.map((id) => requirements[id].source));
const headings = Object.entries(documentHeadings).map(([id, heading]) => ({
  id,
  excluded: 'excluded' in heading ? heading.excluded : '',
}));

test('every heading has a requirement or says why it has none', () => {
  expect(headings.filter(({ id, excluded }) => !sources.has(id) && excluded === '').map(({ id }) => id)).toEqual([]);
});

test('no heading has both a requirement and a reason for having none', () => {
  expect(headings.filter(({ id, excluded }) => sources.has(id) && excluded !== '').map(({ id }) => id)).toEqual([]);
});

test('the heading above every heading is there', () => {
  const ids = new Set(headings.map(({ id }) => id));
  const above = headings.map(({ id }) => id.split('/').slice(0, -1).join('/')).filter((id) => id !== '');
  expect(above.filter((id) => !ids.has(id))).toEqual([]);
});
