import { ApiError } from '../api-error.ts';
import type { Behaviour } from '../behaviour.ts';
import { membersOf } from '../change.ts';
import { inGeneration, inReply, onSockets, typeOf } from '../websocket/change-socket.ts';
import type { Outbound, SocketBehaviour } from '../websocket/socket-behaviour.ts';
import type { Faults } from './fault.ts';

const nothing = () => [];
const isErrorText = (part: string) => (message: { readonly message?: unknown }) =>
  String(message.message).includes(part);

const toolCall = { id: 'call_1', type: 'function', function: { name: 'add', arguments: '{}' } };
const toolResult = { tool_call_id: 'call_1', output: '3', error: null, execution_time_ms: 1 };
/** A generation without some of its messages. */
const withoutMessages = (leftOut: (message: Outbound) => boolean): Required<SocketBehaviour>['turn'] =>
  async function* (messages) {
    for await (const message of messages) if (!leftOut(message)) yield message;
  };
const without = (type: string) => onSockets({ turn: withoutMessages((message) => typeOf(message) === type) });
const beforeDone = (...messages: readonly Outbound[]) => inGeneration('done', (done) => [...messages, done]);

/** Of the form of messages, and of what tools are told by them. */
export const socketMessageFaults = {
  'socket-long-message-fatal': {
    description: 'after a message of 256 KiB no socket can be opened with its key',
    trips: ['websocket.message.long'],
    behaviour: closedByLong(),
  },
  'socket-unknown-type-ignored': {
    description: 'messages of unknown types are ignored',
    trips: ['websocket.message.unknown-type'],
    behaviour: inReply('error', nothing, isErrorText('type must be one of')),
  },
  'socket-malformed-ignored': {
    description: 'messages that are not JSON are ignored',
    trips: ['websocket.message.malformed'],
    behaviour: inReply('error', nothing, isErrorText('not JSON')),
  },
  'socket-binary-ignored': {
    description: 'binary messages are ignored',
    trips: ['websocket.message.binary'],
    behaviour: inReply('error', nothing, isErrorText('binary')),
  },
  'socket-content-bare': {
    description: 'the text of an answer is sent without JSON around it',
    trips: ['websocket.message.json'],
    behaviour: inGeneration('content', ({ content }) => [`${content}`]),
  },
  'socket-content-binary': {
    description: 'content messages are binary',
    trips: ['websocket.message.json'],
    behaviour: onSockets({
      transmit: (channel, text) =>
        text.includes('"content"') ? channel.binary(Buffer.from(text)) : channel.text(text),
    }),
  },
  'socket-message-without-type': {
    description: 'a message without a type comes before done',
    trips: ['websocket.message.json'],
    behaviour: beforeDone({ note: 'nearly done' }),
  },
  'socket-message-array': {
    description: 'a message that is an array comes before done',
    trips: ['websocket.message.json'],
    behaviour: beforeDone(['done']),
  },
  'socket-unlisted-type': {
    description: 'a message of a type that is not documented comes before done',
    trips: ['websocket.message.known-type'],
    behaviour: beforeDone({ type: 'progress', percent: 99 }),
  },
  'socket-content-in-text': {
    description: 'content messages have their text in the member text',
    trips: ['websocket.content.text'],
    behaviour: inGeneration('content', ({ content, ...message }) => [{ ...message, text: content }]),
  },
  'socket-content-null': {
    description: 'the first content message has a content of null',
    trips: ['websocket.content.text'],
    behaviour: inGeneration('content', (message, _, index) =>
      index === 0 ? [{ ...message, content: null }, message] : [message],
    ),
  },
  'socket-content-at-once': {
    description: 'an answer comes in one content message',
    trips: ['websocket.content.incremental'],
    behaviour: onSockets({
      async *turn(messages) {
        let content = '';
        for await (const message of messages) {
          if (typeOf(message) === 'content') content += membersOf(message).content;
          else yield* [{ type: 'content', content }, message];
        }
      },
    }),
  },
  'socket-content-after-done': {
    description: 'more content follows done',
    trips: ['websocket.done.last'],
    behaviour: inGeneration('done', (done) => [done, { type: 'content', content: ' more' }]),
  },
  'socket-done-twice': {
    description: 'done comes twice',
    trips: ['websocket.done.last'],
    behaviour: inGeneration('done', (done) => [done, done]),
  },
  'socket-error-without-message': {
    description: 'error messages have no message',
    trips: ['websocket.error.message'],
    behaviour: inReply('error', ({ message: _, ...error }) => [error]),
  },
  'socket-error-message-nested': {
    description: 'error messages have their message in an error object',
    trips: ['websocket.error.message'],
    behaviour: inReply('error', ({ message, ...error }) => [{ ...error, error: { message } }]),
  },
  'socket-error-without-code': {
    description: 'error messages have no code',
    trips: ['websocket.error.code'],
    behaviour: inReply('error', ({ code: _, ...error }) => [error]),
  },
  'socket-tool-call-untold': {
    description: 'a call that the server runs is told by its result alone',
    trips: ['websocket.tools.told', 'websocket.tool-result.known-call'],
    behaviour: without('tool_call'),
  },
  'socket-tool-result-untold': {
    description: 'what came of a call that the server ran is not told',
    trips: ['websocket.tools.told'],
    behaviour: without('tool_result'),
  },
  'socket-tool-failure-untold': {
    description: 'a call that failed is told by nothing but done',
    trips: ['websocket.tools.failure'],
    behaviour: onSockets({
      turn: withoutMessages((message) => typeOf(message) === 'tool_result' && membersOf(message).error !== null),
      reply: (message) => [membersOf(message).code === 'tool_error' ? { type: 'done' } : message],
    }),
  },
  'socket-tool-call-without-name': {
    description: 'a tool_call does not name its function',
    trips: ['websocket.tool-call.form'],
    behaviour: beforeDone({ type: 'tool_call', tool_call: { id: 'call_1', type: 'function' } }),
  },
  'socket-tool-result-of-both-kinds': {
    description: 'a tool_result has an output and an error',
    trips: ['websocket.tool-result.form'],
    behaviour: beforeDone(
      { type: 'tool_call', tool_call: toolCall },
      { type: 'tool_result', ...toolResult, error: 'it failed' },
    ),
  },
  'socket-tool-result-without-time': {
    description: 'a tool_result does not say how long the tool ran',
    trips: ['websocket.tool-result.form'],
    behaviour: beforeDone(
      { type: 'tool_call', tool_call: toolCall },
      { type: 'tool_result', ...toolResult, execution_time_ms: undefined },
    ),
  },
  'socket-tool-result-of-no-call': {
    description: 'a tool_result is of a call that was never told',
    trips: ['websocket.tool-result.known-call'],
    behaviour: beforeDone({ type: 'tool_result', ...toolResult }),
  },
} as const satisfies Faults;

/** Remembers accounts, each of one server. */
function closedByLong(): Behaviour {
  const closed = new WeakSet<object>();
  const refusal = new ApiError('internal_error', 'the sockets are out of order');
  return onSockets({
    receive(message, { exchange }) {
      if (JSON.stringify(message).length > 200_000) closed.add(exchange.account);
      return message;
    },
    decide: (refused, step, { exchange }) => (step === 'upgrade' && closed.has(exchange.account) ? refusal : refused),
  });
}
