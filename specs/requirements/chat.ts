import type { RequirementTable } from '../requirement.ts';

const response = {
  level: 'MUST',
  profile: 'core',
  source: 'rest-endpoints/chat-completions/response',
} as const;
const request = {
  level: 'MUST',
  profile: 'core',
  source: 'rest-endpoints/chat-completions/request-body',
} as const;
const parameter = {
  level: 'MUST',
  profile: 'core',
  source: 'rest-endpoints/chat-completions/parameters',
} as const;
const wrongType =
  'the document gives the type, and calls a malformed request invalid_request (400); another type is malformed';

export const chatRequirements = {
  'chat.response.status': { ...response, statement: 'a valid chat request is answered with 200' },
  'chat.response.id': { ...response, statement: 'id of a completion is a string that is not empty' },
  'chat.response.id-unique': {
    ...response,
    level: 'SHOULD',
    statement: 'two completions have different ids',
    reading: 'not stated, but an identifier that repeats identifies nothing',
  },
  'chat.response.object': { ...response, statement: 'object of a completion is "chat.completion"' },
  'chat.response.created': { ...response, statement: 'created of a completion is a time in whole Unix seconds' },
  'chat.response.model': { ...response, statement: 'model of a completion is a string that is not empty' },
  'chat.response.model-requested': {
    ...response,
    level: 'SHOULD',
    statement: 'model of a completion is the model that was asked for',
    reading: 'the examples show the same id; a server that resolves an alias names what it resolved to',
  },
  'chat.response.choices': {
    ...response,
    statement: 'choices of a completion holds exactly one choice, with index 0',
    reading: 'the document knows no parameter that asks for more than one',
  },
  'chat.response.message.role': { ...response, statement: 'the message of a completion has the role assistant' },
  'chat.response.message.content': {
    ...response,
    statement: 'the content of the message of a completion is a string, or null beside tool calls',
  },
  'chat.response.finish-reason': {
    ...response,
    statement: 'finish_reason of a completion is stop, length, tool_calls, content_filter or function_call',
    reading: 'only stop is shown; the others are what OpenAI-compatible clients know',
  },
  'chat.response.usage': {
    ...response,
    statement:
      'usage of a completion has prompt_tokens (at least 1), completion_tokens and total_tokens, all integers of at least 0',
  },
  'chat.response.usage-sum': {
    ...response,
    statement: 'total_tokens is the sum of prompt_tokens and completion_tokens',
    reading: 'the example adds up (25 + 35 = 60), and the name says total',
  },
  'chat.response.usage-prompt': {
    ...response,
    level: 'SHOULD',
    statement: 'prompt_tokens is no less than the words of the messages that are plain text',
    reading:
      'what a token is is not stated, yet every tokenizer in use keeps separate words apart: fewer are a fixed number, or a prompt that was not read whole',
  },
  'chat.response.system-fingerprint': {
    ...response,
    statement: 'system_fingerprint of a completion is a string',
  },

  'chat.request.every-parameter': {
    ...request,
    statement: 'a request that gives every documented parameter its documented default is accepted',
  },
  'chat.model.required': { ...parameter, statement: 'a request without model is refused with 400' },
  'chat.model.type': {
    ...parameter,
    statement: 'a request whose model is not a string is refused with 400',
    reading: wrongType,
  },
  'chat.messages.required': { ...parameter, statement: 'a request without messages is refused with 400' },
  'chat.messages.type': {
    ...parameter,
    statement: 'a request whose messages is not an array is refused with 400',
    reading: wrongType,
  },
  'chat.messages.empty': {
    ...parameter,
    level: 'SHOULD',
    statement: 'a request with an empty list of messages is refused with 400',
    reading: 'messages is required, but that an empty list is none is not said',
  },
  'chat.messages.roles': {
    ...parameter,
    source: 'formats/message',
    statement: 'messages with the roles system, user and assistant are accepted in one conversation',
  },
  'chat.messages.name': {
    ...parameter,
    source: 'formats/message',
    statement: 'a message with the optional member name is accepted',
  },
  'chat.messages.unicode': {
    ...parameter,
    source: 'formats/message',
    statement: 'a message in any script, with any symbol, is accepted',
    reading: 'the content is text, and JSON writes text in Unicode',
  },
  'chat.messages.every-member': {
    ...parameter,
    source: 'formats/message',
    level: 'SHOULD',
    need: 'more-requests',
    statement: 'a message with all members of the format at once (no tool calls, the id of one) is accepted',
    reading: 'the format shows them in one message; which of them belong together is not said',
  },
  'chat.messages.unknown-role': {
    ...parameter,
    source: 'formats/message',
    level: 'SHOULD',
    statement: 'a message with a role that the API does not know is refused with 400',
    reading: 'three roles are listed, yet tool_call_id needs a fourth, so the list is not closed for certain',
  },
  'chat.messages.content-type': {
    ...parameter,
    source: 'formats/message',
    statement: 'a message whose content is a number is refused with 400',
    reading: `content is shown as a string and as an array of parts; ${wrongType}`,
  },

  'chat.temperature.range': {
    ...parameter,
    statement: 'a temperature of 0 and one of 2 are accepted',
  },
  'chat.temperature.below': { ...parameter, statement: 'a temperature below 0 is refused with 400' },
  'chat.temperature.above': { ...parameter, statement: 'a temperature above 2 is refused with 400' },
  'chat.temperature.type': {
    ...parameter,
    statement: 'a temperature that is not a number is refused with 400',
    reading: wrongType,
  },
  'chat.max-tokens.cap': {
    ...parameter,
    statement: 'usage of every completion counts no more completion_tokens than its max_tokens',
  },
  'chat.max-tokens.text': {
    ...parameter,
    statement: 'the text of an answer is cut off at max_tokens, so that a smaller one gives less of the same text',
  },
  'chat.max-tokens.finish-reason': {
    ...parameter,
    source: 'rest-endpoints/chat-completions/response',
    level: 'SHOULD',
    statement: 'a completion that max_tokens cut off has the finish_reason length',
    reading: 'only stop is shown; OpenAI clients tell a cut answer from a finished one by length',
  },
  'chat.max-tokens.default': {
    ...parameter,
    statement: 'without max_tokens a completion has at most 1,000 tokens',
  },
  'chat.max-tokens.type': {
    ...parameter,
    statement: 'a max_tokens that is not a number is refused with 400',
    reading: wrongType,
  },
  'chat.max-tokens.fraction': {
    ...parameter,
    statement: 'a max_tokens that is not an integer is refused with 400',
    reading: wrongType,
  },
  'chat.max-tokens.not-positive': {
    ...parameter,
    level: 'SHOULD',
    statement: 'a max_tokens below 0 is refused with 400',
    reading: 'no range is given, but fewer than no tokens cannot be asked for',
  },
  'chat.top-p.range': {
    ...parameter,
    statement: 'a top_p of 0.5 is accepted',
    reading: 'the default, 1, is held to chat.request.every-parameter',
  },
  'chat.top-p.above': {
    ...parameter,
    level: 'SHOULD',
    statement: 'a top_p above 1 is refused with 400',
    reading: 'no range is given; a share of the probability mass lies between 0 and 1',
  },
  'chat.top-p.type': {
    ...parameter,
    statement: 'a top_p that is not a number is refused with 400',
    reading: wrongType,
  },
  'chat.frequency-penalty.range': {
    ...parameter,
    statement: 'a frequency_penalty of -2 and one of 2 are accepted',
  },
  'chat.frequency-penalty.below': {
    ...parameter,
    statement: 'a frequency_penalty below -2 is refused with 400',
  },
  'chat.frequency-penalty.above': {
    ...parameter,
    statement: 'a frequency_penalty above 2 is refused with 400',
  },
  'chat.frequency-penalty.type': {
    ...parameter,
    statement: 'a frequency_penalty that is not a number is refused with 400',
    reading: wrongType,
  },
  'chat.presence-penalty.range': {
    ...parameter,
    statement: 'a presence_penalty of -2 and one of 2 are accepted',
  },
  'chat.presence-penalty.below': {
    ...parameter,
    statement: 'a presence_penalty below -2 is refused with 400',
  },
  'chat.presence-penalty.above': {
    ...parameter,
    statement: 'a presence_penalty above 2 is refused with 400',
  },
  'chat.presence-penalty.type': {
    ...parameter,
    statement: 'a presence_penalty that is not a number is refused with 400',
    reading: wrongType,
  },
  'chat.stream.default': {
    ...parameter,
    statement: 'without stream the answer is one JSON body, not an event stream',
  },
  'chat.stream.false': {
    ...parameter,
    statement: 'with stream false the answer is one JSON body, not an event stream',
  },
  'chat.stream.type': {
    ...parameter,
    statement: 'a stream that is not a boolean is refused with 400',
    reading: wrongType,
  },
  'chat.stop.string': {
    ...parameter,
    statement: 'generation ends at a stop sequence that is given as a string',
  },
  'chat.stop.array': {
    ...parameter,
    statement: 'generation ends at any of the stop sequences that are given as an array',
  },
  'chat.stop.finish-reason': {
    ...parameter,
    source: 'rest-endpoints/chat-completions/response',
    statement: 'a completion that a stop sequence ended has the finish_reason stop',
  },
  'chat.stop.excluded': {
    ...parameter,
    level: 'SHOULD',
    statement: 'the stop sequence itself is not part of the content',
    reading: 'not stated; the OpenAI API leaves it out, and its clients rely on that',
  },
  'chat.stop.null': { ...parameter, statement: 'a stop of null is accepted and stops nothing' },
  'chat.stop.type': {
    ...parameter,
    statement: 'a stop that is neither a string nor an array nor null is refused with 400',
    reading: wrongType,
  },
  'chat.tools.empty': { ...parameter, statement: 'an empty list of tools is accepted' },
  'chat.tools.definition': {
    ...parameter,
    capability: 'tools',
    source: 'formats/tool-call',
    statement: 'a tool definition of the documented form is accepted',
  },
  'chat.tools.type': {
    ...parameter,
    statement: 'a tools that is not an array is refused with 400',
    reading: wrongType,
  },
  'chat.tool-choice.auto': { ...parameter, capability: 'tools', statement: 'a tool_choice of "auto" is accepted' },
  'chat.tool-choice.none': {
    ...parameter,
    capability: 'tools',
    level: 'SHOULD',
    statement: 'with a tool_choice of "none" the answer holds no tool calls',
    reading: 'only "auto" is shown; OpenAI clients use "none" to forbid calls',
  },
  'chat.tool-choice.type': {
    ...parameter,
    statement: 'a tool_choice that is a number is refused with 400',
    reading: `the table says string, OpenAI clients also send an object; ${wrongType}`,
  },
  'chat.user.accepted': { ...parameter, statement: 'a user identifier is accepted' },
  'chat.user.type': {
    ...parameter,
    statement: 'a user that is not a string is refused with 400',
    reading: wrongType,
  },
} as const satisfies RequirementTable;
