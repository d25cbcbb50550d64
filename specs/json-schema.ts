import { createRequire } from 'node:module';
import type { Ajv2020 as Ajv } from 'ajv/dist/2020.js';

let loaded: Ajv | undefined;

/** Objects and arrays in each other. The validator, and who reads a schema after it, call themselves for each. */
const deepest = 200;

/** Why a value is not a JSON Schema (2020-12), in one line; `undefined` where it is one. Formats are annotations. */
export function schemaProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it is not an object';
  if (isDeeper(value, deepest)) return 'it is nested too deep';
  const ajv = ajvOnce();
  // Schemas that name an older draft are read by the rules of this one.
  const { $schema: _, ...schema } = value as Readonly<Record<string, unknown>>;
  return ajv.validateSchema(schema) ? undefined : ajv.errorsText(ajv.errors, { dataVar: '' }).trim();
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1));
}

/** Where a value is not as a JSON Schema says, in one line; `undefined` where it is. @throws where it is no schema */
export function mismatch(schema: object, value: unknown): string | undefined {
  const ajv = ajvOnce();
  return ajv.validate(schema, value) ? undefined : ajv.errorsText(ajv.errors, { dataVar: '' }).trim();
}

function ajvOnce(): Ajv {
  loaded ??= loadAjv();
  return loaded;
}

function loadAjv(): Ajv {
  const require = createRequire(import.meta.url);
  const { Ajv2020 } = require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
  return new Ajv2020({ strict: false, validateFormats: false, logger: false });
}
