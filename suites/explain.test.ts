import { expect, test } from 'vitest';
import { documentHeadings } from '../specs/document.ts';
import { requirementIds, requirements } from '../specs/requirements/index.ts';
import { explainDocument, explainRequirement } from './explain.ts';

test('the tree has every heading once, in the order of the document', () => {
  const titles = Object.values(documentHeadings).map(({ title }) => title);
  const lines = explainDocument().split('\n');
  expect(lines.map((line) => line.trim()).filter((line) => titles.includes(line as never))).toEqual(titles);
});

test('the tree has every requirement exactly once', () => {
  const ids = [...explainDocument().matchAll(/^ +(?:MUST|SHOULD|MAY) +(\S+)$/gm)].map(([, id]) => id);
  expect(ids.sort()).toEqual([...requirementIds].sort());
});

test('the tree gives the reason where a heading has no requirement', () => {
  expect(explainDocument()).toMatch(/^Support\n {2}none: \S+/m);
});

test('a requirement is told with its reading, its profiles and its probe', () => {
  expect(explainRequirement('auth.disabled.identifier', ['a disabled key'])).toMatchInlineSnapshot(`
    "auth.disabled.identifier  SHOULD
      the refusal of a disabled account carries the identifier account_disabled in
      code or type
      document  Error Handling > Error Codes
      reading   the tables call it a code in one place and a type in another, and
                the example has neither
      profiles  full
      needs     the key of a disabled account (--disabled-key)
      judged    by the probe "a disabled key"
    "
  `);
});

test('a requirement says what a target must have for it', () => {
  expect(explainRequirement('tools.stream.named', [])).toContain('about     targets that have tools and streaming;');
  expect(explainRequirement('errors.envelope', [])).not.toContain('targets that have');
});

test('a requirement that no probe decides alone is judged on every exchange', () => {
  expect(explainRequirement('errors.envelope', [])).toContain(
    'judged    on every exchange of the run that it applies to',
  );
});

test('whatever no check can see says why', () => {
  const unseen = requirementIds.filter((id) => requirements[id].unobservable !== undefined);
  const silent = unseen.filter((id) => !/judged {4}never: \w/.test(explainRequirement(id, [])));
  expect(silent).toEqual([]);
});

test('no line is longer than 80 columns', () => {
  const texts = [explainDocument(), ...requirementIds.map((id) => explainRequirement(id, []))];
  const long = texts.flatMap((text) => text.split('\n')).filter((line) => line.length > 80);
  expect(long).toEqual([]);
});
