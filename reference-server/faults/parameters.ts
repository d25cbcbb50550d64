import { ApiError } from '../api-error.ts';
import { isObject, membersOf } from '../change.ts';
import { accepting, deciding, refusing } from './checks.ts';
import type { Faults } from './fault.ts';

const notNumber = (value: unknown) => value !== undefined && typeof value !== 'number';
const above = (limit: number) => (value: unknown) => typeof value === 'number' && value > limit;
const below = (limit: number) => (value: unknown) => typeof value === 'number' && value < limit;
const someMessage = [{ role: 'user', content: 'Hello' }];

/** Whether a request is more than a chat with one parameter changed. */
const hasMany = (request: object) => Object.keys(request).length > 8;

const inMessages = (holds: (message: Readonly<Record<string, unknown>>) => boolean) => (messages: unknown) =>
  Array.isArray(messages) && messages.some((message) => holds(membersOf(message)));

/** The server fails on a bad parameter instead of refusing it. */
const failing = (parameter: string, bad: (value: unknown) => boolean) =>
  deciding(
    'body',
    ({ body }) => isObject(body) && bad(body[parameter]),
    new ApiError('internal_error', 'the server failed to answer this request'),
  );

/** A bad model is looked up, and so not found. */
const lookedUp = (bad: (value: unknown) => boolean) =>
  deciding(
    'body',
    ({ body }) => isObject(body) && bad(body.model),
    new ApiError('model_not_found', 'there is no such model'),
  );

export const parameterFaults = {
  'all-parameters-refused': {
    description: 'a request that gives every parameter is refused',
    trips: ['chat.request.every-parameter'],
    behaviour: refusing('user', (_, request) => hasMany(request)),
  },
  'model-missing-looked-up': {
    description: 'a missing model is answered with 404',
    trips: ['chat.model.required'],
    behaviour: lookedUp((model) => model === undefined),
  },
  'model-number-looked-up': {
    description: 'a model that is a number is answered with 404',
    trips: ['chat.model.type'],
    behaviour: lookedUp((model) => typeof model === 'number'),
  },
  'messages-missing-accepted': {
    description: 'a chat without messages is answered',
    trips: ['chat.messages.required'],
    behaviour: accepting('messages', (value) => value === undefined, someMessage),
  },
  'messages-text-accepted': {
    description: 'messages may be one text',
    trips: ['chat.messages.type'],
    behaviour: accepting('messages', (value) => typeof value === 'string', someMessage),
  },
  'messages-text-fails': {
    description: 'messages that are one text are answered with 500',
    trips: ['chat.messages.type'],
    behaviour: failing('messages', (value) => typeof value === 'string'),
  },
  'messages-empty-accepted': {
    description: 'an empty list of messages is answered',
    trips: ['chat.messages.empty'],
    behaviour: accepting('messages', (value) => Array.isArray(value) && value.length === 0, someMessage),
  },
  'assistant-role-refused': {
    description: 'a conversation with an assistant in it is refused',
    trips: ['chat.messages.roles'],
    behaviour: refusing(
      'messages',
      inMessages(({ role, tool_calls }) => role === 'assistant' && tool_calls === undefined),
    ),
  },
  'message-name-refused': {
    description: 'a message with a name is refused',
    trips: ['chat.messages.name', 'chat.messages.every-member'],
    behaviour: refusing(
      'messages',
      inMessages(({ name }) => name !== undefined),
    ),
  },
  'unicode-fails': {
    description: 'a message with a character beyond 16 bits is answered with 500',
    trips: ['chat.messages.unicode'],
    behaviour: failing('messages', (messages) => /[\u{10000}-\u{10ffff}]/u.test(JSON.stringify(messages ?? ''))),
  },
  'empty-tool-calls-refused': {
    description: 'a message with an empty list of tool calls is refused',
    trips: ['chat.messages.every-member'],
    behaviour: refusing(
      'messages',
      inMessages(({ tool_calls }) => Array.isArray(tool_calls) && tool_calls.length === 0),
    ),
  },
  'unknown-role-accepted': {
    description: 'a message may have any role',
    trips: ['chat.messages.unknown-role'],
    behaviour: accepting(
      'messages',
      inMessages(({ role }) => role === 'stranger'),
      someMessage,
    ),
  },
  'content-number-accepted': {
    description: 'the content of a message may be a number',
    trips: ['chat.messages.content-type'],
    behaviour: accepting(
      'messages',
      inMessages(({ content }) => typeof content === 'number'),
      someMessage,
    ),
  },
  'content-number-fails': {
    description: 'a content that is a number is answered with 500',
    trips: ['chat.messages.content-type'],
    behaviour: failing(
      'messages',
      inMessages(({ content }) => typeof content === 'number'),
    ),
  },
  'temperature-two-refused': {
    description: 'a temperature of 2 is refused',
    trips: ['chat.temperature.range'],
    behaviour: refusing('temperature', (value) => value === 2),
  },
  'temperature-zero-refused': {
    description: 'a temperature of 0 is refused',
    trips: ['chat.temperature.range'],
    behaviour: refusing('temperature', (value) => value === 0),
  },
  'temperature-negative-accepted': {
    description: 'a temperature below 0 is taken for 0',
    trips: ['chat.temperature.below'],
    behaviour: accepting('temperature', below(0), 0),
  },
  'temperature-high-accepted': {
    description: 'a temperature above 2 is taken for 2',
    trips: ['chat.temperature.above'],
    behaviour: accepting('temperature', above(2), 2),
  },
  'temperature-text-accepted': {
    description: 'a temperature that is a text is ignored',
    trips: ['chat.temperature.type'],
    behaviour: accepting('temperature', (value, { stream }) => notNumber(value) && stream !== true),
  },
  'temperature-text-fails': {
    description: 'a temperature that is a text is answered with 500',
    trips: ['chat.temperature.type', 'stream.refused.status'],
    behaviour: failing('temperature', notNumber),
  },
  'max-tokens-text-accepted': {
    description: 'a max_tokens that is a text is ignored',
    trips: ['chat.max-tokens.type'],
    behaviour: accepting('max_tokens', notNumber),
  },
  'max-tokens-fraction-accepted': {
    description: 'a max_tokens with a fraction is rounded',
    trips: ['chat.max-tokens.fraction'],
    behaviour: accepting('max_tokens', (value) => typeof value === 'number' && !Number.isInteger(value), 1),
  },
  'max-tokens-negative-accepted': {
    description: 'a max_tokens below 0 means 1',
    trips: ['chat.max-tokens.not-positive'],
    behaviour: accepting('max_tokens', below(0), 1),
  },
  'top-p-half-refused': {
    description: 'a top_p below 1 is refused',
    trips: ['chat.top-p.range'],
    behaviour: refusing('top_p', below(1)),
  },
  'top-p-one-refused': {
    description: 'a top_p of 1 is refused',
    trips: ['chat.request.every-parameter'],
    behaviour: refusing('top_p', (value) => value === 1),
  },
  'top-p-high-accepted': {
    description: 'a top_p above 1 is taken for 1',
    trips: ['chat.top-p.above'],
    behaviour: accepting('top_p', above(1), 1),
  },
  'top-p-text-accepted': {
    description: 'a top_p that is a text is ignored',
    trips: ['chat.top-p.type'],
    behaviour: accepting('top_p', notNumber),
  },
  'frequency-penalty-two-refused': {
    description: 'a frequency_penalty of 2 is refused',
    trips: ['chat.frequency-penalty.range'],
    behaviour: refusing('frequency_penalty', (value) => value === 2),
  },
  'frequency-penalty-negative-refused': {
    description: 'a frequency_penalty below 0 is refused',
    trips: ['chat.frequency-penalty.range'],
    behaviour: refusing('frequency_penalty', (value) => value === -2),
  },
  'frequency-penalty-low-accepted': {
    description: 'a frequency_penalty below -2 is taken for -2',
    trips: ['chat.frequency-penalty.below'],
    behaviour: accepting('frequency_penalty', below(-2), -2),
  },
  'frequency-penalty-high-accepted': {
    description: 'a frequency_penalty above 2 is taken for 2',
    trips: ['chat.frequency-penalty.above'],
    behaviour: accepting('frequency_penalty', above(2), 2),
  },
  'frequency-penalty-text-accepted': {
    description: 'a frequency_penalty that is a text is ignored',
    trips: ['chat.frequency-penalty.type'],
    behaviour: accepting('frequency_penalty', notNumber),
  },
  'presence-penalty-two-refused': {
    description: 'a presence_penalty of 2 is refused',
    trips: ['chat.presence-penalty.range'],
    behaviour: refusing('presence_penalty', (value) => value === 2),
  },
  'presence-penalty-negative-refused': {
    description: 'a presence_penalty below 0 is refused',
    trips: ['chat.presence-penalty.range'],
    behaviour: refusing('presence_penalty', (value) => value === -2),
  },
  'presence-penalty-low-accepted': {
    description: 'a presence_penalty below -2 is taken for -2',
    trips: ['chat.presence-penalty.below'],
    behaviour: accepting('presence_penalty', below(-2), -2),
  },
  'presence-penalty-high-accepted': {
    description: 'a presence_penalty above 2 is taken for 2',
    trips: ['chat.presence-penalty.above'],
    behaviour: accepting('presence_penalty', above(2), 2),
  },
  'presence-penalty-text-accepted': {
    description: 'a presence_penalty that is a text is ignored',
    trips: ['chat.presence-penalty.type'],
    behaviour: accepting('presence_penalty', notNumber),
  },
  'stream-by-default': {
    description: 'a chat that does not say whether to stream is streamed',
    trips: ['chat.stream.default'],
    behaviour: accepting('stream', (value) => value === undefined, true),
  },
  'stream-false-streamed': {
    description: 'a chat with stream false is streamed',
    trips: ['chat.stream.false'],
    behaviour: accepting('stream', (value) => value === false, true),
  },
  'stream-text-accepted': {
    description: 'a stream that is a text means false',
    trips: ['chat.stream.type'],
    behaviour: accepting('stream', (value) => typeof value === 'string', false),
  },
  'stop-null-refused': {
    description: 'a stop of null is refused',
    trips: ['chat.stop.null'],
    behaviour: refusing('stop', (value, request) => value === null && !hasMany(request)),
  },
  'stop-number-accepted': {
    description: 'a stop that is a number is ignored',
    trips: ['chat.stop.type'],
    behaviour: accepting('stop', (value) => typeof value === 'number'),
  },
  'tools-empty-refused': {
    description: 'an empty list of tools is refused',
    trips: ['chat.tools.empty'],
    behaviour: refusing('tools', (value, request) => Array.isArray(value) && value.length === 0 && !hasMany(request)),
  },
  'tools-refused': {
    description: 'a definition of a tool is refused where the choice is left open',
    trips: ['chat.tools.definition', 'tools.definition.id'],
    behaviour: refusing(
      'tools',
      (value, { tool_choice, messages }) =>
        Array.isArray(value) &&
        value.length > 0 &&
        tool_choice === undefined &&
        !inMessages(({ role }) => role === 'tool')(messages),
    ),
  },
  'tools-text-accepted': {
    description: 'tools that are a text are ignored',
    trips: ['chat.tools.type'],
    behaviour: accepting('tools', (value) => typeof value === 'string'),
  },
  'tool-choice-auto-refused': {
    description: 'a tool_choice of "auto" is refused beside a tool',
    trips: ['chat.tool-choice.auto'],
    behaviour: refusing('tool_choice', (value, request) => value === 'auto' && !hasMany(request)),
  },
  'tool-choice-number-accepted': {
    description: 'a tool_choice that is a number is ignored',
    trips: ['chat.tool-choice.type'],
    behaviour: accepting('tool_choice', (value) => typeof value === 'number'),
  },
  'user-refused': {
    description: 'a user identifier is refused',
    trips: ['chat.user.accepted'],
    behaviour: refusing('user', (value, request) => typeof value === 'string' && !hasMany(request)),
  },
  'user-number-accepted': {
    description: 'a user that is a number is ignored',
    trips: ['chat.user.type'],
    behaviour: accepting('user', (value) => typeof value === 'number'),
  },
} as const satisfies Faults;
