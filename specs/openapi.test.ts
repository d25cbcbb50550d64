import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { schemas } from './validate.ts';

const descriptions = ['openapi.yaml', 'asyncapi.yaml'].map((file) =>
  readFileSync(new URL(file, import.meta.url), 'utf8'),
);

function schemasIn(text: string): string[] {
  return [...text.matchAll(/\b([a-z-]+)\.json\b/g)].map(([, name]) => name ?? '');
}

test('every schema but those of load runs is part of an API description', () => {
  const reached = new Set(descriptions.flatMap(schemasIn));
  // Names that are added while a set is walked are walked too.
  for (const name of reached) {
    const schema: unknown = schemas[name as keyof typeof schemas];
    expect(schema, name).toBeDefined();
    for (const next of schemasIn(JSON.stringify(schema))) reached.add(next);
  }
  expect([...reached].sort()).toEqual(
    Object.keys(schemas)
      .filter((name) => !name.startsWith('load-'))
      .sort(),
  );
});

test.each(descriptions)('the API description repeats no schema', (description) => {
  expect(description).not.toMatch(/^\s*(type: (object|array|string|integer|number|boolean)|properties:|enum:|const:)/m);
});
