import { compile } from 'json-schema-to-typescript';
import { expect, test } from 'vitest';
import { schemas } from './validate.ts';

const banner = '/* Written by `npm run generate` from schemas/*.json. Change those, not this file. */';

test('the wire types are those of the schemas', async () => {
  const everything = { oneOf: Object.keys(schemas).map((name) => ({ $ref: `${name}.json` })) };
  const types = await compile(everything, 'AnyBody', {
    cwd: 'specs/schemas/',
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    bannerComment: banner,
    style: { singleQuote: true, printWidth: 120 },
  });
  await expect(types).toMatchFileSnapshot('./wire.ts');
});
