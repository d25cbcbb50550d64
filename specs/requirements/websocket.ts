import type { RequirementTable } from '../requirement.ts';

const connection = { level: 'MUST', profile: 'websocket', source: 'websocket-streaming/connection' } as const;
const example = { ...connection, source: 'websocket-streaming/full-example' } as const;
const types = { ...connection, source: 'websocket-streaming/message-types' } as const;
const toServer = { ...connection, source: 'websocket-streaming/message-types/client-to-server' } as const;
const toClient = { ...connection, source: 'websocket-streaming/message-types/server-to-client' } as const;
const ofTools = { ...toClient, need: 'server-tools', capability: 'tools' } as const;
const keyPlaces =
  'the class of the example takes a key and never uses it; the key is tried in the Authorization header, then as api_key in start, then as api_key in the query, and the form in use is reported';
const refusals =
  'how a socket refuses is not stated: a 401 on the upgrade, an error message (with or without a done after it) and a close are accepted, and an answer to the chat is not';
const errorType = 'the table has a message for errors; a server may send done after it, and close the socket';
const toleratedSilence =
  'the table has a message for errors, but no sentence says what becomes of messages that it does not list; a client that hears nothing waits for ever';

/** Rules for `/ws/chat`. */
export const websocketRequirements = {
  'websocket.upgrade.status': {
    ...connection,
    statement: 'a request for a WebSocket at /ws/chat with a valid key is answered with 101',
  },
  'websocket.upgrade.rate-limit-headers': {
    ...connection,
    level: 'SHOULD',
    source: 'rate-limits/rate-limit-headers',
    statement: 'the 101 that opens a socket has the four X-RateLimit headers',
    reading: 'said of every response, yet browsers show no header of a 101 to their programs',
  },
  'websocket.protocol.sound': {
    ...connection,
    statement: 'all that arrives on a socket is WebSocket (RFC 6455)',
    reading: 'a client library closes a socket on which anything else arrives, and opens none by a 101 that is wrong',
  },
  'websocket.key.accepted': {
    ...example,
    statement: 'a valid key opens the socket in one of its three places',
    reading: keyPlaces,
  },
  'websocket.key.missing': {
    ...example,
    source: 'authentication/authentication-errors',
    statement: 'a socket without a key is refused and generates nothing',
    reading: refusals,
  },
  'websocket.key.unknown': {
    ...example,
    source: 'authentication/authentication-errors',
    need: 'more-requests',
    statement: 'a socket with an unknown key is refused and generates nothing',
    reading: refusals,
  },
  'websocket.start.answered': {
    ...toServer,
    statement: 'a valid start is answered with content messages, not with an error',
  },
  'websocket.start.done': {
    ...toClient,
    statement: 'a generation that comes to its end is followed by done',
    reading:
      'how fast is not stated: done counts as missing where the next start is answered with content before it, or where a close or the end of the connection takes its place',
  },
  'websocket.start.model-required': {
    ...toServer,
    need: 'more-requests',
    statement: 'a start without a model is answered with an error message, and generates nothing',
    reading: errorType,
  },
  'websocket.start.unknown-model': {
    ...toServer,
    statement: 'a start with a model that does not exist is answered with an error message, and generates nothing',
    reading: errorType,
  },
  'websocket.start.again': {
    ...toServer,
    level: 'SHOULD',
    need: 'more-requests',
    statement: 'a start after done begins another generation on the same socket',
    reading: 'the table says that start begins a new session; no sentence says that a socket serves more than one',
  },
  'websocket.start.while-running': {
    ...toServer,
    level: 'SHOULD',
    need: 'more-requests',
    statement: 'a second start while a generation runs is answered: with an error, or with a generation of its own',
    reading:
      'not stated: one that waits for its turn and one that takes the place of the first are accepted; a client whose start is dropped in silence waits for ever',
  },
  'websocket.stop.content': {
    ...toServer,
    statement: 'no content arrives later than 2 seconds after stop',
    reading:
      'what is under way when stop is read may still arrive; 2 seconds is more than a network keeps it. An answer that comes to its own end within them shows nothing',
  },
  'websocket.stop.done': {
    ...toServer,
    level: 'SHOULD',
    statement: 'a generation that stop ended is followed by done',
    reading: 'not stated; without it a client cannot tell when the socket is free again',
  },
  'websocket.ping.pong': { ...toServer, statement: 'a ping is answered with pong' },
  'websocket.ping.while-generating': {
    ...toServer,
    level: 'SHOULD',
    statement: 'a ping is answered with pong within 2 seconds while a generation runs, too',
    reading: 'no sentence says when; a keep-alive that is silent during long answers keeps nothing alive',
  },
  'websocket.message.unknown-type': {
    ...toClient,
    level: 'SHOULD',
    need: 'more-requests',
    statement: 'a message of an unknown type is answered with an error message or a close',
    reading: toleratedSilence,
  },
  'websocket.message.malformed': {
    ...toClient,
    level: 'SHOULD',
    need: 'more-requests',
    statement: 'a message that is not JSON is answered with an error message or a close',
    reading: toleratedSilence,
  },
  'websocket.message.binary': {
    ...toClient,
    level: 'SHOULD',
    need: 'more-requests',
    statement: 'a binary ping is answered: with an error message, with a close, or with pong as if it were text',
    reading: 'every message of the document is text; a client that hears nothing waits for ever',
  },
  'websocket.message.long': {
    ...types,
    level: 'SHOULD',
    need: 'more-requests',
    statement: 'after a message of 256 KiB on one socket, a start on another is answered',
    reading:
      'no limit of messages is documented: an answer, an error message and a close are accepted, and what is judged is that other sockets go on',
  },
  'websocket.message.json': {
    ...types,
    statement: 'every message of the server is text that holds a JSON object with a type, a string',
  },
  'websocket.message.known-type': {
    ...toClient,
    level: 'SHOULD',
    statement: 'the type of every message of the server is one of content, tool_call, tool_result, done, error, pong',
    reading:
      'the table lists these six; no sentence says that there are no others, and the example skips what it does not know',
  },
  'websocket.content.text': {
    ...toClient,
    statement: 'every content message has content, a string',
    reading: 'only the example shows it, by reading data.content',
  },
  'websocket.content.incremental': {
    ...connection,
    level: 'SHOULD',
    source: 'websocket-streaming',
    statement: 'an answer of several tokens arrives in more than one content message',
    reading: 'what a message holds is not stated, but one message with everything is not a stream',
  },
  'websocket.done.last': {
    ...toClient,
    statement: 'after the done of a generation neither content nor another done arrives for it',
  },
  'websocket.error.message': {
    ...example,
    statement: 'every error message has message, a string that is not empty',
    reading: 'only the example shows it, by reading data.message',
  },
  'websocket.error.code': {
    ...toClient,
    level: 'SHOULD',
    source: 'error-handling/codes',
    statement: 'every error message has code, a string that is not empty or an integer',
    reading: 'the example reads nothing but the message; without a code a client cannot tell errors apart',
  },
  'websocket.tools.told': {
    ...ofTools,
    level: 'SHOULD',
    statement:
      'a call that the server runs itself is told by a tool_call, and what came of it by a tool_result after that',
    reading:
      'the table has the two messages and does not say when they are sent; seen on a target that runs execute_code',
  },
  'websocket.tools.failure': {
    ...ofTools,
    level: 'SHOULD',
    source: 'formats/tool-call-response',
    statement: 'a call that fails is told by a tool_result with an error, or by an error',
    reading: 'not stated for sockets; a client that hears of no failure takes the answer for whole',
  },
  'websocket.tool-call.form': {
    ...ofTools,
    level: 'SHOULD',
    source: 'formats/tool-call',
    statement: 'every tool_call message names the id of the call, the function and its arguments',
    reading:
      'the payload is not shown: a member tool_call in the form of the SDKs, and the same members in the message itself are accepted',
  },
  'websocket.tool-result.form': {
    ...ofTools,
    source: 'formats/tool-call-response',
    statement:
      'every tool_result message has tool_call_id, execution_time_ms, and exactly one of output and error is not null',
    reading: 'the payload is not shown: the members of a tool response, in the message or in its member tool_result',
  },
  'websocket.tool-result.known-call': {
    ...ofTools,
    level: 'SHOULD',
    statement: 'the tool_call_id of a tool_result is that of a tool_call before it',
    reading: 'not stated; a client cannot show a result beside a call that it never heard of',
  },
} as const satisfies RequirementTable;
