import type { RequirementTable } from '../requirement.ts';

const call = { level: 'MUST', profile: 'tools', source: 'formats/tool-call' } as const;
const choice = {
  level: 'SHOULD',
  profile: 'tools',
  source: 'rest-endpoints/chat-completions/parameters',
} as const;
const delta = {
  level: 'SHOULD',
  profile: 'tools',
  source: 'rest-endpoints/chat-completions/streaming',
  capability: 'streaming',
} as const;

const noArguments =
  'the format shows a definition where a call would be, with id, type and name but without arguments; the OpenAI SDKs read the arguments as a string of JSON';
const onlyAuto = 'only "auto" is shown; OpenAI clients force a call by "required" or by the name of a function';
const pieces =
  'streams of calls are not shown; the OpenAI SDKs put a call together from the pieces that share an index';

export const toolRequirements = {
  'tools.call.id': { ...call, statement: 'every tool call has an id, a string that is not empty' },
  'tools.call.id-unique': {
    ...call,
    level: 'SHOULD',
    statement: 'no two tool calls of an answer have the same id',
    reading:
      'not stated, but a result refers to its call by nothing else; conversations have nothing to do with each other',
  },
  'tools.call.type': { ...call, statement: 'type of every tool call is "function"' },
  'tools.call.name': { ...call, statement: 'every tool call names its function, by a string that is not empty' },
  'tools.call.arguments': {
    ...call,
    level: 'SHOULD',
    statement: 'arguments of every tool call is a string',
    reading: noArguments,
  },
  'tools.call.arguments-json': {
    ...call,
    level: 'SHOULD',
    statement: 'arguments of every tool call that was not cut off is the text of a JSON object',
    reading: noArguments,
  },
  'tools.call.arguments-valid': {
    ...call,
    level: 'SHOULD',
    statement: 'arguments of a forced call are as the parameters of the definition say',
    reading:
      'the definition describes the arguments; that a model keeps to it is not promised, and clients rely on it. Of a target that lets no call be forced, the call that its model makes by itself is read',
  },

  'tools.choice.named': {
    ...choice,
    statement: 'with a tool_choice that names a function the answer calls that function, and no other',
    reading: onlyAuto,
  },
  'tools.choice.required': {
    ...choice,
    statement: 'with a tool_choice of "required" the answer calls functions that are offered, at least one',
    reading: onlyAuto,
  },
  'tools.choice.finish-reason': {
    ...choice,
    source: 'rest-endpoints/chat-completions/response',
    statement: 'an answer that calls tools has the finish_reason tool_calls',
    reading:
      'only stop is shown; OpenAI clients go on with the calls by tool_calls. OpenAI itself ends a call that was forced by name with stop, so that one passes too',
  },

  'tools.definition.id': {
    ...choice,
    source: 'formats/tool-call',
    need: 'more-requests',
    statement: 'a definition with an id is accepted',
    reading: 'the format shows a definition with an id, as only calls have one in OpenAI clients',
  },
  'tools.definition.malformed': {
    ...choice,
    level: 'MUST',
    source: 'formats/tool-call',
    statement: 'a tool that is a text instead of a definition is refused with 400',
    reading: 'a definition is shown as an object, and a malformed request is invalid_request (400)',
  },
  'tools.definition.schema': {
    ...choice,
    source: 'formats/tool-call',
    statement: 'a definition whose parameters are not a JSON Schema is refused with 400',
    reading:
      'parameters is shown as a JSON Schema, but that it is checked is not said; no call could be held to another',
  },

  'tools.delta.index': {
    ...delta,
    statement: 'every piece of a streamed tool call has an index, an integer of at least 0',
    reading: pieces,
  },
  'tools.delta.head': {
    ...delta,
    statement: 'the first piece of a streamed tool call has its id, the type "function" and the name of the function',
    reading: `${pieces}, and take what names the call from the first of them`,
  },
  'tools.delta.arguments': {
    ...delta,
    statement: 'the arguments of the pieces of a streamed tool call are strings that together are a JSON object',
    reading: pieces,
  },
  'tools.stream.named': {
    ...delta,
    statement: 'a stream with a tool_choice that names a function holds a call of that function, and of no other',
    reading: `${onlyAuto}. A target that refuses a name in one body is not asked again by a stream`,
  },
  'tools.stream.finish-reason': {
    ...delta,
    statement: 'a stream that calls tools ends with the finish_reason tool_calls',
    reading: 'as in one body: stop passes for a call that was forced by name',
  },

  'tools.result.accepted': {
    ...call,
    source: 'formats/tool-call-response',
    level: 'SHOULD',
    statement: 'a conversation goes on after a tool call and a message of role tool with its result',
    reading:
      'the roles leave tool out, yet messages have a tool_call_id; OpenAI clients give results back in such messages',
  },

  'tools.failure.status': {
    ...call,
    source: 'error-handling/codes',
    need: 'server-tools',
    statement: 'a call that the server runs itself and that fails makes the request fail with 422',
    reading:
      'seen where the target runs execute_code itself: it is made to run code that throws, beside code that does not',
  },
  'tools.failure.identifier': {
    ...call,
    source: 'error-handling/codes',
    level: 'SHOULD',
    need: 'server-tools',
    statement: 'the error of a call that the server ran and that failed has the identifier tool_error in code or type',
    reading: 'the tables call it a code in one place and a type in another; the literal numeric form is accepted',
  },
} as const satisfies RequirementTable;
