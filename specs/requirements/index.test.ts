import { expect, test } from 'vitest';
import { requirementIds, requirements } from './index.ts';

const rows = requirementIds.map((id) => ({ id, ...requirements[id] }));

test('ids and levels are those that were published', async () => {
  const lines = rows.map(({ id, level }) => `${level} ${id}\n`).join('');
  await expect(lines).toMatchFileSnapshot('./published.txt');
});

test('every id is area.topic.rule in kebab case', () => {
  const word = '[a-z][a-z0-9]*(-[a-z0-9]+)*';
  const form = new RegExp(`^${word}(\\.${word}){1,3}$`);
  expect(requirementIds.filter((id) => !form.test(id))).toEqual([]);
});

test('no two statements are the same', () => {
  const statements = rows.map(({ statement }) => statement);
  expect(statements.filter((statement, index) => statements.indexOf(statement) !== index)).toEqual([]);
});

test('every statement is short and says what is the case', () => {
  const long = rows.filter(({ statement }) => statement.length >= 160);
  const wishful = rows.filter(({ statement }) => /\b(should|must)\b/i.test(statement));
  const shouting = rows.filter(({ statement }) => /[.!]$/.test(statement));
  expect([...long, ...wishful, ...shouting].map(({ id, statement }) => `${id}: ${statement}`)).toEqual([]);
});

test('every SHOULD and MAY has a reading', () => {
  expect(rows.filter(({ level, reading }) => level !== 'MUST' && !reading).map(({ id }) => id)).toEqual([]);
});
