import type { RequirementTable } from '../requirement.ts';

const cutStream = {
  level: 'SHOULD',
  profile: 'streaming',
  source: 'rest-endpoints/chat-completions/streaming',
} as const;
const stream = { ...cutStream, need: 'more-requests' } as const;
const socket = { ...stream, profile: 'websocket', source: 'websocket-streaming/connection' } as const;
const sameAnswer =
  'that the ways to an answer give the same is not stated; who changes the way counts on it. Seen at temperature 0, on a target that gives the same text twice in one body';
const ifGiven = `${sameAnswer}; where it is given at all`;

/** One request over every transport. */
export const transportRequirements = {
  'stream.same.text': {
    ...cutStream,
    statement: 'a stream gives the text that the same request gives in one body',
    reading: sameAnswer,
  },
  'stream.same.finish-reason': {
    ...stream,
    statement: 'a stream ends for the reason for which the same request ends in one body',
    reading: sameAnswer,
  },
  'stream.same.usage': {
    ...stream,
    statement: 'a stream counts the tokens that the same request counts in one body',
    reading: ifGiven,
  },
  'websocket.same.text': {
    ...socket,
    statement: 'a socket gives the text that the same request gives in one body',
    reading: sameAnswer,
  },
  'websocket.same.finish-reason': {
    ...socket,
    statement: 'a generation over a socket ends for the reason for which the same request ends in one body',
    reading: ifGiven,
  },
  'websocket.same.usage': {
    ...socket,
    statement: 'a socket counts the tokens that the same request counts in one body',
    reading: ifGiven,
  },
} as const satisfies RequirementTable;
