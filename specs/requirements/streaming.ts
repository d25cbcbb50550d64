import type { RequirementTable } from '../requirement.ts';

const stream = {
  level: 'MUST',
  profile: 'streaming',
  source: 'rest-endpoints/chat-completions/streaming',
} as const;
const sdkReading =
  "the example shows bare JSON lines, but the document's own SDK examples can only read server-sent events that end with [DONE]";

export const streamingRequirements = {
  'stream.status': { ...stream, statement: 'a valid chat request with stream true is answered with 200' },
  'stream.content-type': {
    ...stream,
    statement: 'a stream is labelled text/event-stream',
    reading: sdkReading,
  },
  'stream.framing': {
    ...stream,
    statement: 'the data of every event of a stream is a JSON object or [DONE]',
    reading: sdkReading,
  },
  'stream.end.done-marker': {
    ...stream,
    statement: 'a stream that answers a valid request holds no error; its last event is [DONE], the only one',
    reading: sdkReading,
  },
  'stream.chunk.id': { ...stream, statement: 'all chunks of a stream have the same id, a string that is not empty' },
  'stream.chunk.object': { ...stream, statement: 'object of every chunk is "chat.completion.chunk"' },
  'stream.chunk.created': {
    ...stream,
    statement: 'created of every chunk is a time in whole Unix seconds',
  },
  'stream.chunk.created-constant': {
    ...stream,
    level: 'SHOULD',
    statement: 'created is the same in all chunks of a stream',
    reading: 'the example repeats it, and its name says that it belongs to the answer; no sentence says so',
  },
  'stream.chunk.model': {
    ...stream,
    statement: 'model of every chunk is a string that is not empty, the same in all chunks of a stream',
  },
  'stream.chunk.choices': {
    ...stream,
    statement:
      'every chunk has exactly one choice, with index 0 and an object as delta; a chunk with usage may have none',
    reading: 'OpenAI-compatible servers report usage in a last chunk without choices, and their clients expect it',
  },
  'stream.delta.content': {
    ...stream,
    statement: 'content of a delta, where it is given, is a string or null',
  },
  'stream.delta.role': {
    ...stream,
    statement: 'role of a delta, where it is given, is assistant',
    reading: 'the example has no role, OpenAI sends one in the first delta: both are accepted',
  },
  'stream.finish.once': {
    ...stream,
    statement: 'finish_reason is null or absent in every chunk but the last that has a choice, and known there',
  },
  'stream.finish.empty-delta': {
    ...stream,
    statement: 'the delta of the chunk with the finish_reason holds no content',
  },
  'stream.incremental': {
    ...stream,
    level: 'SHOULD',
    statement: 'an answer of several tokens arrives in more than one content chunk',
    reading: 'what a chunk holds is not stated, but one chunk with everything is not a stream',
  },
  'stream.max-tokens.text': {
    ...stream,
    source: 'rest-endpoints/chat-completions/parameters',
    statement: 'a stream is cut off at max_tokens, at the same place as the same answer in one body',
  },
  'stream.max-tokens.finish-reason': {
    ...stream,
    level: 'SHOULD',
    statement: 'a stream that max_tokens cut off ends with the finish_reason length',
    reading: 'only stop is shown; OpenAI clients tell a cut answer from a finished one by length',
  },
  'stream.stop.honoured': {
    ...stream,
    source: 'rest-endpoints/chat-completions/parameters',
    statement: 'a stream ends at a stop sequence, with the finish_reason stop',
  },
  'stream.stop.excluded': {
    ...stream,
    level: 'SHOULD',
    source: 'rest-endpoints/chat-completions/parameters',
    statement: 'the stop sequence itself is not part of the streamed content',
    reading: 'not stated; the OpenAI API leaves it out, and its clients rely on that',
  },
  'stream.failure.told': {
    ...stream,
    level: 'SHOULD',
    need: 'fault-header',
    statement: 'a stream that fails in its middle says so in an event with an error, or its connection breaks off',
    reading:
      'not stated; OpenAI clients raise an error for either, and take a stream that just ends for a whole answer',
  },
  'stream.failure.not-done': {
    ...stream,
    level: 'SHOULD',
    need: 'fault-header',
    statement: 'a stream that fails in its middle does not end with [DONE]',
    reading: 'not stated; [DONE] tells OpenAI clients that they have the whole answer',
  },
  'stream.refused.status': {
    ...stream,
    source: 'error-handling/codes',
    statement: 'a malformed request with stream true is refused with 400 before any event is sent',
  },
  'stream.refused.unauthorized': {
    ...stream,
    source: 'authentication/authentication-errors',
    statement: 'a request with stream true and an unknown key is refused with 401 before any event is sent',
  },
} as const satisfies RequirementTable;
