import { isObject, type Members } from '../change.ts';

/** What arguments can be made of. Every value of a shape is valid against the schema that the shape was read from. */
export type Shape =
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'string'; readonly least: number; readonly most: number | undefined }
  | { readonly kind: 'number' }
  | { readonly kind: 'integer'; readonly least: number; readonly most: number }
  | { readonly kind: 'array'; readonly items: Shape; readonly least: number; readonly most: number | undefined }
  | { readonly kind: 'object'; readonly members: readonly ShapeMember[] }
  | { readonly kind: 'any-of'; readonly shapes: readonly Shape[] };

export interface ShapeMember {
  readonly name: string;
  readonly required: boolean;
  readonly shape: Shape;
}

/** A schema that no value can be made for here; the message says which part, and why. */
export class UnsupportedSchema extends Error {}

/** Whole numbers of up to fifteen digits are exact everywhere. */
const largest = 999_999_999_999_999;
const longestText = 1000;
const largestShape = 1000;

/** The assertions that no shape has, by the type that they are about; `any` are those about every type. */
const unsupported: Readonly<Record<string, readonly string[]>> = {
  any: ['not', 'if', 'then', 'else', '$dynamicRef', '$recursiveRef'],
  string: ['pattern'],
  number: ['multipleOf'],
  integer: ['multipleOf'],
  array: ['prefixItems', 'contains', 'unevaluatedItems'],
  object: [
    'patternProperties',
    'propertyNames',
    'minProperties',
    'maxProperties',
    'dependentRequired',
    'dependentSchemas',
    'dependencies',
  ],
};

/** Keywords that take no part in the form of a value. */
const annotations: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'format',
]);

/**
 * The shape of the arguments that a JSON Schema describes.
 * @param schema what {@link schemaProblem} finds nothing wrong with; absent means no arguments
 * @throws UnsupportedSchema
 */
export function argumentsShape(schema: Members = {}): Shape {
  const shape = read(
    { type: 'object', ...schema },
    { root: schema, path: 'parameters', refs: [], left: { shapes: largestShape } },
  );
  if (!isObjectShape(shape)) throw new UnsupportedSchema('parameters describes something else than an object');
  return shape;
}

function isObjectShape(shape: Shape): boolean {
  return shape.kind === 'object' || (shape.kind === 'any-of' && shape.shapes.every(isObjectShape));
}

interface Place {
  readonly root: Members;
  /** `parameters.properties.city`. */
  readonly path: string;
  /** The references that led here. */
  readonly refs: readonly string[];
  /** A budget for the whole schema. */
  readonly left: { shapes: number };
}

function read(schema: unknown, place: Place): Shape {
  place.left.shapes -= 1;
  if (place.left.shapes < 0) throw new UnsupportedSchema(`${place.path}: the schema is larger than this server takes`);
  if (!isObject(schema)) {
    if (schema === false) throw new UnsupportedSchema(`${place.path} allows no value`);
    return anyText;
  }
  const { $ref, const: constant, enum: values, anyOf, oneOf, allOf } = schema;
  refuse(schema, 'any', place);
  if (typeof $ref === 'string') return alone(schema, '$ref', place, () => readRef($ref, place));
  if ('const' in schema) return literals(schema, 'const', [constant], place);
  if (Array.isArray(values)) return literals(schema, 'enum', values, place);
  if (Array.isArray(anyOf)) return alone(schema, 'anyOf', place, () => choice(anyOf, 'anyOf', place));
  if (Array.isArray(oneOf)) return alone(schema, 'oneOf', place, () => exclusive(choice(oneOf, 'oneOf', place), place));
  if (Array.isArray(allOf)) {
    if (allOf.length > 1) throw new UnsupportedSchema(`${place.path}.allOf joins several schemas`);
    return alone(schema, 'allOf', place, () => read(allOf[0], at(place, 'allOf[0]')));
  }
  const types = [schema.type ?? impliedType(schema)].flat();
  return types.length === 1
    ? ofType(types[0], schema, place)
    : { kind: 'any-of', shapes: types.map((type) => ofType(type, schema, place)) };
}

const anyText: Shape = { kind: 'string', least: 0, most: undefined };

function impliedType(schema: Members): string {
  if ('properties' in schema || 'required' in schema) return 'object';
  return 'items' in schema ? 'array' : 'string';
}

function ofType(type: unknown, schema: Members, place: Place): Shape {
  refuse(schema, String(type), place);
  switch (type) {
    case 'object':
      return objectOf(schema, place);
    case 'array':
      return arrayOf(schema, place);
    case 'string': {
      const least = count(schema.minLength) ?? 0;
      const most = count(schema.maxLength);
      return bounded(least, most, place, { kind: 'string', least, most: most && Math.min(most, longestText) });
    }
    case 'integer':
      return numberOf(schema, place);
    case 'number':
      return ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'].some((name) => name in schema)
        ? numberOf(schema, place)
        : { kind: 'number' };
    case 'boolean':
      return { kind: 'values', values: [true, false] };
    default:
      return { kind: 'values', values: [null] };
  }
}

/** A range of whole numbers, which are numbers, too. */
function numberOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Members, place: Place): Shape {
  const bound = (value: unknown, unbounded: number) => (typeof value === 'number' ? value : unbounded);
  const least = Math.max(
    Math.ceil(bound(minimum, -largest)),
    Math.floor(bound(exclusiveMinimum, -largest - 1)) + 1,
    -largest,
  );
  const most = Math.min(
    Math.floor(bound(maximum, largest)),
    Math.ceil(bound(exclusiveMaximum, largest + 1)) - 1,
    largest,
  );
  if (least > most) throw new UnsupportedSchema(`${place.path} holds no whole number of up to fifteen digits`);
  return { kind: 'integer', least, most };
}

function arrayOf({ items, minItems, maxItems, uniqueItems }: Members, place: Place): Shape {
  const least = count(minItems) ?? 0;
  const most = uniqueItems === true ? Math.min(1, count(maxItems) ?? 1) : count(maxItems);
  if (uniqueItems === true && least > 1)
    throw new UnsupportedSchema(`${place.path}.uniqueItems asks for several items`);
  const empty: Shape = { kind: 'array', items: anyText, least: 0, most: 0 };
  if (items === false && least === 0) return empty;
  return bounded(least, most, place, { kind: 'array', items: read(items ?? true, at(place, 'items')), least, most });
}

function objectOf({ properties = {}, required = [], additionalProperties = true }: Members, place: Place): Shape {
  const given = Object.entries(properties as Members);
  const wanted: ReadonlySet<string> = new Set(required as string[]);
  const unnamed = [...wanted].filter((name) => !Object.hasOwn(properties as object, name));
  const members = [...given, ...unnamed.map((name) => [name, additionalProperties] as const)]
    .filter(([name, schema]) => wanted.has(name) || schema !== false)
    .map(([name, schema]) => ({
      name,
      required: wanted.has(name),
      shape: read(schema, at(place, `properties.${name}`)),
    }));
  return { kind: 'object', members };
}

function readRef(ref: string, place: Place): Shape {
  const path = at(place, '$ref').path;
  if (place.refs.includes(ref)) throw new UnsupportedSchema(`${path}: ${ref} refers to itself`);
  if (ref !== '#' && !ref.startsWith('#/')) throw new UnsupportedSchema(`${path}: ${ref} lies outside of the schema`);
  let target: unknown = place.root;
  for (const step of ref.split('/').slice(1)) {
    const name = unescaped(step, ref, path).replaceAll('~1', '/').replaceAll('~0', '~');
    target = isObject(target) && Object.hasOwn(target, name) ? target[name] : undefined;
  }
  if (target === undefined) throw new UnsupportedSchema(`${path}: there is nothing at ${ref}`);
  return read(target, { ...place, refs: [...place.refs, ref] });
}

function unescaped(step: string, ref: string, path: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    throw new UnsupportedSchema(`${path}: ${ref} has an escape that is none`);
  }
}

function choice(branches: readonly unknown[], keyword: string, place: Place): Shape {
  return {
    kind: 'any-of',
    shapes: branches.map((branch, index) => read(branch, at(place, `${keyword}[${index}]`))),
  };
}

/** Branches of different kinds cannot both hold. */
function exclusive(shape: Shape, place: Place): Shape {
  const kinds = shape.kind === 'any-of' ? shape.shapes.map(({ kind }) => kind) : [];
  const overlap = kinds.some(
    (kind, index) =>
      kind === 'values' ||
      kind === 'any-of' ||
      kinds.indexOf(kind) < index ||
      (kind === 'number' && kinds.includes('integer')),
  );
  if (overlap && kinds.length > 1) throw new UnsupportedSchema(`${place.path}.oneOf has branches that could both hold`);
  return shape;
}

/** Only what has the type that stands beside them. */
function literals(schema: Members, keyword: 'const' | 'enum', values: readonly unknown[], place: Place): Shape {
  const others = { ...schema, type: undefined };
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  const typed = values.filter((value) => types === undefined || types.some((type) => hasType(value, type)));
  if (typed.length === 0) throw new UnsupportedSchema(`${place.path}.${keyword} holds no value of its type`);
  return alone(others, keyword, place, () => ({ kind: 'values', values: typed }));
}

function hasType(value: unknown, type: unknown): boolean {
  if (value === null) return type === 'null';
  if (Array.isArray(value)) return type === 'array';
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

/** Reads a keyword that must have no assertion beside it. */
function alone(schema: Members, keyword: string, place: Place, make: () => Shape): Shape {
  const beside = Object.keys(schema).find(
    (name) => name !== keyword && schema[name] !== undefined && !annotations.has(name) && assertions.has(name),
  );
  if (beside === undefined || (beside === 'type' && schema.type === 'object' && place.path === 'parameters'))
    return make();
  throw new UnsupportedSchema(`${place.path} has ${beside} beside ${keyword}`);
}

const assertions: ReadonlySet<string> = new Set([
  ...Object.values(unsupported).flat(),
  ...['$ref', 'const', 'enum', 'anyOf', 'oneOf', 'allOf', 'type', 'properties', 'required', 'additionalProperties'],
  ...['items', 'minItems', 'maxItems', 'uniqueItems', 'minLength', 'maxLength', 'unevaluatedProperties'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
]);

function refuse(schema: Members, type: string, { path }: Place): void {
  const keyword = unsupported[type]?.find((name) => name in schema);
  if (keyword !== undefined) throw new UnsupportedSchema(`${path}.${keyword} cannot be kept to here`);
}

function bounded(least: number, most: number | undefined, { path }: Place, shape: Shape): Shape {
  if (most !== undefined && least > most)
    throw new UnsupportedSchema(`${path} asks for at least ${least} and at most ${most}`);
  if (least > longestText)
    throw new UnsupportedSchema(`${path} asks for at least ${least}, more than this server makes`);
  return shape;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function at(place: Place, step: string): Place {
  return { ...place, path: `${place.path}.${step}` };
}
