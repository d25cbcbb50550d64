import type { Exchange } from '../admission.ts';
import { ApiError } from '../api-error.ts';
import type { Behaviour, StreamPart } from '../behaviour.ts';
import { asked, changed, inBody, inChunk, isObject, membersOf } from '../change.ts';
import { accepting, deciding, refusing } from './checks.ts';
import type { Faults } from './fault.ts';

const isStreamed = (exchange: Exchange) => asked(exchange).stream === true;
const isNamed = (exchange: Exchange) => isObject(asked(exchange).tool_choice);
const isRequired = (exchange: Exchange) => asked(exchange).tool_choice === 'required';
const isOfferedTwo = (exchange: Exchange) => {
  const { tools } = asked(exchange);
  return Array.isArray(tools) && tools.length === 2;
};
const always = () => true;

/** Changes every call of an answer in one body; there are none in most. */
const inCalls = (pointer: string, to: unknown, when: (exchange: Exchange) => boolean = always): Behaviour =>
  inBody(
    'completion',
    '/choices/0/message/tool_calls',
    (calls: readonly unknown[] | undefined) => calls?.map((call) => changed(call, pointer, to)),
    when,
  );

/** Changes the pieces of calls in a stream: the first of each call, or the others. */
const inPieces = (which: 'first' | 'later' | 'all', pointer: string, to: unknown): Behaviour =>
  inChunk('/choices/0/delta/tool_calls', (pieces: readonly unknown[] | undefined) =>
    pieces?.map((piece) => {
      const isFirst = membersOf(piece).id !== undefined;
      return which === 'all' || isFirst === (which === 'first') ? changed(piece, pointer, to) : piece;
    }),
  );

/** Calls the first of the functions that are offered. */
const callingFirst = (when: (exchange: Exchange) => boolean): Behaviour => ({
  generation: (generation, exchange) =>
    when(exchange) && generation.tools ? { ...generation, forced: generation.tools.slice(0, 1) } : generation,
});

/** Answers in a text that ends by itself where a call was to be forced. */
export const callingNothing = (when: (exchange: Exchange) => boolean): Behaviour => ({
  generation: ({ forced, ...free }, exchange) => (when(exchange) || !forced ? free : { ...free, forced }),
  async *output(events, exchange) {
    for await (const event of events)
      yield event.type === 'end' && when(exchange) ? { ...event, finishReason: 'stop' } : event;
  },
});

const someTool = (holds: (tool: unknown) => boolean) => (tools: unknown) => Array.isArray(tools) && tools.some(holds);
const isNoSchema = (tool: unknown) => membersOf(membersOf(membersOf(tool).function).parameters).type === 'weather';
const hasToolMessage = (messages: unknown) =>
  Array.isArray(messages) && messages.some((message) => membersOf(message).role === 'tool');
const serverFault = new ApiError('internal_error', 'the server failed to answer this request');

/** Answers another error where a tool that the server ran has failed. */
const instead = (error: Readonly<Record<string, string>>, status: number): Behaviour => ({
  answer: (answer) =>
    answer.kind === 'error' && answer.status === 422
      ? { ...answer, status, body: changed(answer.body, '/error', (old: object) => ({ ...old, ...error })) }
      : answer,
});

export const toolFaults = {
  'call-without-id': {
    description: 'tool calls have no id',
    trips: ['tools.call.id'],
    behaviour: inCalls('/id', undefined),
  },
  'call-id-empty': {
    description: 'the id of tool calls is empty',
    trips: ['tools.call.id'],
    behaviour: inCalls('/id', ''),
  },
  'calls-share-id': {
    description: 'a function that is called is called twice, under one id',
    trips: ['tools.call.id-unique'],
    behaviour: inBody('completion', '/choices/0/message/tool_calls', (calls: readonly unknown[] | undefined) =>
      calls?.flatMap((call) => [call, call]),
    ),
  },
  'call-without-type': {
    description: 'tool calls have no type',
    trips: ['tools.call.type'],
    behaviour: inCalls('/type', undefined),
  },
  'call-type-tool': {
    description: 'the type of tool calls is tool',
    trips: ['tools.call.type'],
    behaviour: inCalls('/type', 'tool'),
  },
  'call-without-name': {
    description: 'tool calls do not name their function',
    trips: ['tools.call.name'],
    behaviour: inCalls('/function/name', undefined),
  },
  'call-name-outside': {
    description: 'the name of the function stands beside it instead of in it',
    trips: ['tools.call.name', 'tools.call.arguments'],
    behaviour: inCalls('', (call: unknown) => {
      const { function: called, ...members } = membersOf(call);
      return { ...members, ...membersOf(called) };
    }),
  },
  'call-arguments-object': {
    description: 'arguments of tool calls are an object instead of its text',
    trips: ['tools.call.arguments'],
    behaviour: inCalls('/function/arguments', (text: string) => JSON.parse(text)),
  },
  'call-without-arguments': {
    description: 'tool calls have no arguments',
    trips: ['tools.call.arguments'],
    behaviour: inCalls('/function/arguments', undefined),
  },
  'call-arguments-cut': {
    description: 'the last character of arguments is lost',
    trips: ['tools.call.arguments-json'],
    behaviour: inCalls('/function/arguments', (text: string) => text.slice(0, -1)),
  },
  'call-arguments-list': {
    description: 'arguments are the text of a list',
    trips: ['tools.call.arguments-json'],
    behaviour: inCalls('/function/arguments', (text: string) => `[${text}]`),
  },
  'call-arguments-misnamed': {
    description: 'arguments have another name than their definition gives them',
    trips: ['tools.call.arguments-valid'],
    behaviour: inCalls('/function/arguments', (text: string) => text.replace('"city"', '"town"')),
  },
  'call-arguments-mistyped': {
    description: 'arguments have another type than their definition gives them',
    trips: ['tools.call.arguments-valid'],
    behaviour: inCalls('/function/arguments', '{"city":29}'),
  },

  'named-choice-takes-first': {
    description: 'where a function is named, the first of those that are offered is called',
    trips: ['tools.choice.named'],
    behaviour: callingFirst((exchange) => isNamed(exchange) && !isStreamed(exchange)),
  },
  'named-choice-ignored': {
    description: 'a tool_choice that names a function is ignored',
    trips: ['tools.choice.named'],
    behaviour: callingNothing((exchange) => isNamed(exchange) && !isStreamed(exchange)),
  },
  'named-choice-refused': {
    description: 'a tool_choice that is an object is refused',
    trips: ['tools.choice.named'],
    behaviour: refusing('tool_choice', isObject),
  },
  'required-choice-ignored': {
    description: 'a tool_choice of "required" is ignored',
    trips: ['tools.choice.required'],
    behaviour: callingNothing(isRequired),
  },
  'required-choice-refused': {
    description: 'a tool_choice of "required" is refused',
    trips: ['tools.choice.required'],
    behaviour: refusing('tool_choice', (choice) => choice === 'required'),
  },
  'choice-only-auto': {
    description: 'a tool_choice is refused unless it is "auto" or "none"; the model calls the first function by itself',
    trips: ['tools.choice.named', 'tools.choice.required'],
    behaviour: {
      ...refusing('tool_choice', (choice) => isObject(choice) || choice === 'required'),
      ...callingFirst((exchange) => asked(exchange).tool_choice === undefined && isOfferedTwo(exchange)),
    },
  },
  'required-choice-invents': {
    description: 'with a tool_choice of "required" a function is called that nobody offered',
    trips: ['tools.choice.required'],
    behaviour: inCalls('/function/name', 'get_date', isRequired),
  },
  'call-finish-stop': {
    description: 'with a tool_choice of "required" an answer with a call has the finish_reason stop',
    trips: ['tools.choice.finish-reason'],
    behaviour: inBody('completion', '/choices/0/finish_reason', 'stop', isRequired),
  },
  'call-finish-function': {
    description: 'an answer with a call has the finish_reason function_call',
    trips: ['tools.choice.finish-reason'],
    behaviour: inBody('completion', '/choices/0/finish_reason', (reason: string) =>
      reason === 'tool_calls' ? 'function_call' : reason,
    ),
  },

  'definition-id-refused': {
    description: 'a definition with an id is refused',
    trips: ['tools.definition.id'],
    behaviour: refusing(
      'tools',
      someTool((tool) => membersOf(tool).id !== undefined),
    ),
  },
  'definition-text-accepted': {
    description: 'a tool that is a text is ignored',
    trips: ['tools.definition.malformed'],
    behaviour: accepting(
      'tools',
      someTool((tool) => typeof tool === 'string'),
      [],
    ),
  },
  'definition-text-fails': {
    description: 'a tool that is a text is answered with 500',
    trips: ['tools.definition.malformed'],
    behaviour: deciding(
      'body',
      (exchange) => someTool((tool) => typeof tool === 'string')(asked(exchange).tools),
      serverFault,
    ),
  },
  'definition-schema-unchecked': {
    description: 'parameters that are no JSON Schema are accepted',
    trips: ['tools.definition.schema'],
    behaviour: accepting('tools', someTool(isNoSchema), []),
  },

  'delta-call-without-index': {
    description: 'the pieces of a streamed call have no index',
    trips: ['tools.delta.index'],
    behaviour: inPieces('all', '/index', undefined),
  },
  'delta-call-index-text': {
    description: 'the index of the later pieces of a streamed call is a text',
    trips: ['tools.delta.index'],
    behaviour: inPieces('later', '/index', String),
  },
  'delta-call-without-id': {
    description: 'streamed calls have no id',
    trips: ['tools.delta.head'],
    behaviour: inPieces('first', '/id', undefined),
  },
  'delta-call-without-type': {
    description: 'streamed calls have no type',
    trips: ['tools.delta.head'],
    behaviour: inPieces('first', '/type', undefined),
  },
  'delta-call-without-name': {
    description: 'streamed calls do not name their function',
    trips: ['tools.delta.head'],
    behaviour: inPieces('first', '/function/name', undefined),
  },
  'delta-call-named-late': {
    description: 'the id and name of a streamed call come after its arguments begin',
    trips: ['tools.delta.head'],
    behaviour: {
      async *parts(parts) {
        for await (const part of parts) {
          const pieces = membersOf(part).choices === undefined ? undefined : JSON.stringify(part);
          if (pieces?.includes('"name":"'))
            yield changed(part, '/choices/0/delta/tool_calls', [
              { index: 0, function: { arguments: '' } },
            ]) as StreamPart;
          yield part;
        }
      },
    },
  },
  'delta-arguments-object': {
    description: 'the first arguments of a streamed call are an object',
    trips: ['tools.delta.arguments'],
    behaviour: inPieces('first', '/function/arguments', {}),
  },
  'delta-arguments-empty': {
    description: 'the arguments of a streamed call stay empty',
    trips: ['tools.delta.arguments'],
    behaviour: inPieces('later', '/function/arguments', ''),
  },
  'delta-arguments-cumulative': {
    description: 'every piece of a streamed call repeats the beginning of its arguments',
    trips: ['tools.delta.arguments'],
    behaviour: inPieces('later', '/function/arguments', (text: string) => `{${text}`),
  },
  'stream-choice-ignored': {
    description: 'streams ignore a tool_choice that names a function',
    trips: ['tools.stream.named'],
    behaviour: callingNothing((exchange) => isNamed(exchange) && isStreamed(exchange)),
  },
  'stream-choice-takes-first': {
    description: 'where a function is named, a stream calls the first of those that are offered',
    trips: ['tools.stream.named'],
    behaviour: callingFirst((exchange) => isNamed(exchange) && isStreamed(exchange)),
  },
  'stream-call-finish-function': {
    description: 'a stream with a call has the finish_reason function_call',
    trips: ['tools.stream.finish-reason'],
    behaviour: inChunk('/choices/0/finish_reason', (reason: unknown) =>
      reason === 'tool_calls' ? 'function_call' : reason,
    ),
  },

  'tool-role-refused': {
    description: 'a message of role tool is refused',
    trips: ['tools.result.accepted'],
    behaviour: refusing('messages', hasToolMessage),
  },
  'tool-role-fails': {
    description: 'a message of role tool is answered with 500',
    trips: ['tools.result.accepted'],
    behaviour: deciding('body', (exchange) => hasToolMessage(asked(exchange).messages), serverFault),
  },
  'tool-failure-called-bad-request': {
    description: 'a tool that fails while the server runs it is answered with 400',
    trips: ['tools.failure.status'],
    behaviour: instead({ code: 'invalid_request', type: 'invalid_request_error' }, 400),
  },
  'tool-failure-misnamed': {
    description: 'the error of a tool that failed has another identifier',
    trips: ['tools.failure.identifier', 'errors.identifier', 'errors.tool-error.identifier'],
    behaviour: instead({ code: 'tool_failed', type: 'tool_failure' }, 422),
  },
} as const satisfies Faults;
