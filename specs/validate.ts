import { createRequire } from 'node:module';
import type { Ajv2020 as Ajv, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import capabilities from './schemas/capabilities.json' with { type: 'json' };
import chatChunk from './schemas/chat-chunk.json' with { type: 'json' };
import chatCompletion from './schemas/chat-completion.json' with { type: 'json' };
import chatRequest from './schemas/chat-request.json' with { type: 'json' };
import contentPart from './schemas/content-part.json' with { type: 'json' };
import error from './schemas/error.json' with { type: 'json' };
import finishReason from './schemas/finish-reason.json' with { type: 'json' };
import loadArrival from './schemas/load-arrival.json' with { type: 'json' };
import loadProfile from './schemas/load-profile.json' with { type: 'json' };
import loadResult from './schemas/load-result.json' with { type: 'json' };
import loadWorkload from './schemas/load-workload.json' with { type: 'json' };
import message from './schemas/message.json' with { type: 'json' };
import model from './schemas/model.json' with { type: 'json' };
import modelsList from './schemas/models-list.json' with { type: 'json' };
import rateLimitHeaders from './schemas/rate-limit-headers.json' with { type: 'json' };
import toolCall from './schemas/tool-call.json' with { type: 'json' };
import toolDefinition from './schemas/tool-definition.json' with { type: 'json' };
import unixTime from './schemas/unix-time.json' with { type: 'json' };
import usage from './schemas/usage.json' with { type: 'json' };
import version from './schemas/version.json' with { type: 'json' };
import webhook from './schemas/webhook.json' with { type: 'json' };
import wsContent from './schemas/ws-content.json' with { type: 'json' };
import wsDone from './schemas/ws-done.json' with { type: 'json' };
import wsError from './schemas/ws-error.json' with { type: 'json' };
import wsPing from './schemas/ws-ping.json' with { type: 'json' };
import wsPong from './schemas/ws-pong.json' with { type: 'json' };
import wsStart from './schemas/ws-start.json' with { type: 'json' };
import wsStop from './schemas/ws-stop.json' with { type: 'json' };
import wsToolCall from './schemas/ws-tool-call.json' with { type: 'json' };
import wsToolResult from './schemas/ws-tool-result.json' with { type: 'json' };
import { inWords, type Schema, show } from './words.ts';

/** Every schema, by the name of its file. */
export const schemas = {
  capabilities,
  'chat-chunk': chatChunk,
  'chat-completion': chatCompletion,
  'chat-request': chatRequest,
  'content-part': contentPart,
  error,
  'finish-reason': finishReason,
  'load-arrival': loadArrival,
  'load-profile': loadProfile,
  'load-result': loadResult,
  'load-workload': loadWorkload,
  message,
  model,
  'models-list': modelsList,
  'rate-limit-headers': rateLimitHeaders,
  'tool-call': toolCall,
  'tool-definition': toolDefinition,
  'unix-time': unixTime,
  usage,
  version,
  'ws-content': wsContent,
  'ws-done': wsDone,
  'ws-error': wsError,
  'ws-ping': wsPing,
  'ws-pong': wsPong,
  'ws-start': wsStart,
  'ws-stop': wsStop,
  'ws-tool-call': wsToolCall,
  'ws-tool-result': wsToolResult,
  webhook,
} as const;

export type SchemaName = keyof typeof schemas;

/** One part of a value that is not as its schema says. */
export interface SchemaProblem {
  /** JSON Pointer of the part; of the missing member where one is missing: `/usage/total_tokens`. */
  readonly pointer: string;
  /** Words for a person: `an integer of at least 0`. */
  readonly expected: string;
  /** The part as JSON, cut to 200 characters, or `absent`. */
  readonly actual: string;
}

let loaded: Ajv | undefined;

/** What is wrong with `value`: at most one problem for each part of it, and none when it is as the schema says. */
export function problemsOf(schema: SchemaName, value: unknown): readonly SchemaProblem[] {
  const validate = validatorOf(schema);
  if (validate(value)) return [];
  const errors: ErrorObject[] = [];
  for (const next of validate.errors ?? []) {
    if (next.keyword === 'if') continue;
    // The errors of the branches come just before that of their anyOf, which stands for them all.
    if (next.keyword === 'anyOf') {
      while (isWithin(errors.at(-1), next.instancePath)) errors.pop();
    }
    errors.push(next);
  }
  const problems = new Map<string, SchemaProblem>();
  for (const problem of errors.map(problemOf)) {
    if (!problems.has(problem.pointer)) problems.set(problem.pointer, problem);
  }
  return [...problems.values()];
}

function isWithin(error: ErrorObject | undefined, pointer: string): boolean {
  return error !== undefined && (error.instancePath === pointer || error.instancePath.startsWith(`${pointer}/`));
}

function problemOf({ instancePath, params, parentSchema, data }: ErrorObject): SchemaProblem {
  const schema = (parentSchema ?? {}) as Schema;
  const unknown: unknown = params.additionalProperty;
  if (typeof unknown === 'string') {
    return { pointer: `${instancePath}/${unknown}`, expected: 'absent', actual: show(Object(data)[unknown]) };
  }
  const tag: unknown = params.tag;
  if (typeof tag === 'string') {
    const branches = schema.oneOf?.map((branch) => branch.properties?.[tag]) ?? [];
    const names = branches.map((member) => (typeof member === 'object' ? show(member.const) : ''));
    return {
      pointer: `${instancePath}/${tag}`,
      expected: `one of ${names.join(', ')}`,
      actual: show(Object(data)[tag]),
    };
  }
  const missing: unknown = params.missingProperty;
  if (typeof missing !== 'string') {
    return { pointer: instancePath, expected: inWords(schema, resolve), actual: show(data) };
  }
  const member = schema.properties?.[missing];
  return {
    pointer: `${instancePath}/${missing}`,
    expected: typeof member === 'object' ? inWords(member, resolve) : 'present',
    actual: 'absent',
  };
}

function resolve(ref: string): Schema {
  const schema = (schemas as Readonly<Record<string, Schema>>)[ref.replace(/\.json$/, '')];
  if (!schema) throw new Error(`no schema file is called ${ref}`);
  return schema;
}

/** Ajv compiles a schema when it is first asked for, and keeps the result. */
function validatorOf(name: SchemaName): ValidateFunction {
  loaded ??= loadAjv();
  const validate = loaded.getSchema(name);
  if (!validate) throw new Error(`no schema is called ${name}`);
  return validate;
}

/** Loading Ajv takes a noticeable part of the start of the command, so it waits for the first value to be judged. */
function loadAjv(): Ajv {
  const require = createRequire(import.meta.url);
  const { Ajv2020 } = require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
  const { default: addFormats } = require('ajv-formats') as typeof import('ajv-formats');
  const ajv = new Ajv2020({ strict: true, allErrors: true, verbose: true, allowUnionTypes: true, discriminator: true });
  addFormats.default(ajv, ['date', 'date-time']);
  for (const [name, schema] of Object.entries(schemas)) ajv.addSchema(schema, name);
  return ajv;
}
