import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../api-error.ts';
import type { Behaviour } from '../behaviour.ts';
import { membersOf } from '../change.ts';
import { inGeneration, inReply, onSockets, tokensAsked, typeOf } from '../websocket/change-socket.ts';
import type { Channel } from '../websocket/channel.ts';
import type { Outbound, SocketBehaviour } from '../websocket/socket-behaviour.ts';
import type { Dialects } from './dialect.ts';

const isError = (text: string, part = '') => text.startsWith('{"type":"error"') && text.includes(part);

/** Closes the socket in the place of some errors, or after them. */
const closing = (code: number, when: (text: string) => boolean, after = false): Behaviour =>
  onSockets({
    async transmit(channel: Channel, text) {
      const closes = when(text);
      if (!closes || after) await channel.text(text);
      if (closes) channel.close(code, 'see the documentation');
    },
  });

const tooLong = 'message that is too long';
const refusingLong: SocketBehaviour = {
  receive: (message) => (JSON.stringify(message).length > 64 * 2 ** 10 ? { type: tooLong } : message),
};

const toolCall = { id: 'call_1', type: 'function', function: { name: 'add', arguments: '{"a":1,"b":2}' } };
const toolResult = { tool_call_id: 'call_1', output: '3', error: null, execution_time_ms: 1.5 };
const beforeDone = (...messages: readonly Outbound[]) => inGeneration('done', (done) => [...messages, done]);

const noKey = new ApiError('invalid_api_key', 'the key belongs into the query');

export const websocketDialects = {
  'socket-uncounted': {
    description: 'the request for a socket counts for no limit, only the starts on it do',
    behaviour: onSockets({ countsUpgrade: false }),
  },
  'socket-key-in-header': {
    description: 'a socket takes its key in the Authorization header, and is refused with 401 without it',
    behaviour: onSockets({ keyPlaces: ['header'] }),
  },
  'socket-key-in-start': {
    description: 'a socket takes its key as api_key of start, and reads no other',
    behaviour: onSockets({ keyPlaces: ['start'] }),
  },
  'socket-key-in-query': {
    description: 'a socket takes its key as api_key of the query, and is refused with 401 without it',
    behaviour: onSockets({ keyPlaces: ['query'] }),
  },
  'socket-key-refused-late': {
    description: 'a socket takes its key as api_key of the query, and is refused by an error message without it',
    behaviour: onSockets({
      keyPlaces: ['query', 'start'],
      // A key in start lets the socket be opened, and is then not read.
      decide: (refusal, step, { keyPlace }) => (step === 'key' && keyPlace === 'start' ? noKey : refusal),
    }),
  },
  'socket-key-refused-by-close': {
    description: 'a start without a valid key closes the socket without an error message',
    behaviour: closing(1008, (text) => isError(text, 'invalid_api_key')),
  },
  'socket-closes-after-errors': {
    description: 'the socket is closed after every error message',
    behaviour: closing(1011, isError, true),
  },
  'socket-refuses-long-messages': {
    description: 'a long message is answered with an error message',
    behaviour: onSockets(refusingLong),
  },
  'socket-closes-on-long-messages': {
    description: 'a long message closes the socket without an error message',
    behaviour: {
      socket: { ...closing(1009, (text) => isError(text, tooLong)).socket, ...refusingLong },
    },
  },
  'socket-closes-on-malformed': {
    description: 'messages that are not text with JSON close the socket without an error message',
    behaviour: closing(1007, (text) => isError(text, 'JSON')),
  },
  'socket-done-after-errors': {
    description: 'every error message is followed by a done',
    behaviour: onSockets({
      reply: (message) =>
        typeOf(message) === 'error' ? [message, { type: 'done', finish_reason: 'error' }] : [message],
    }),
  },
  'socket-more-members': {
    description: 'messages of a socket have members that the document does not know',
    behaviour: onSockets({
      async *turn(messages) {
        let index = 0;
        for await (const message of messages) {
          yield { ...membersOf(message), id: 'chatcmpl-29', index, model: 'a model' };
          index += 1;
        }
      },
      reply: (message) => [{ ...membersOf(message), id: 'msg_29', error: { type: 'any' }, timestamp: 1 }],
    }),
  },
  'socket-done-bare': {
    description: 'done has neither a finish_reason nor a usage',
    behaviour: inGeneration('done', () => [{ type: 'done' }]),
  },
  'socket-content-empty': {
    description: 'a first content message is empty',
    behaviour: inGeneration('content', (message, _, index) =>
      index === 0 ? [{ ...message, content: '' }, message] : [message],
    ),
  },
  'socket-queues-starts': {
    description: 'a start while a generation runs waits for its turn',
    behaviour: onSockets({ secondStart: 'queue' }),
  },
  'socket-start-replaces': {
    description: 'a start while a generation runs takes its place',
    behaviour: replacing(),
  },
  'socket-fragments': {
    description: 'every message comes in several frames',
    behaviour: onSockets({
      transmit: (channel, text) => channel.fragments([text.slice(0, 3), text.slice(3, 8), '', text.slice(8)]),
    }),
  },
  'socket-protocol-pings': {
    description: 'pings of the WebSocket protocol come between the messages',
    behaviour: onSockets({
      async transmit(channel, text) {
        await channel.raw(Uint8Array.of(0x89, 0x00));
        await channel.text(text);
      },
    }),
  },
  'socket-lingers-after-stop': {
    description: 'what was under way arrives after stop, for a while',
    behaviour: lingering(300),
  },
  'socket-error-code-numeric': {
    description: 'the code of an error message is the HTTP status that it stands for',
    behaviour: inReply('error', (error) => [{ ...error, code: error.code === 'invalid_api_key' ? 401 : 400 }]),
  },
  'socket-binary-as-text': {
    description: 'binary messages are read as if they were text',
    behaviour: inReply(
      'error',
      () => [{ type: 'pong' }],
      ({ message }) => String(message).includes('binary'),
    ),
  },
  'socket-tools-nested': {
    description: 'tools are run, and told of in members named after the type',
    behaviour: beforeDone({ type: 'tool_call', tool_call: toolCall }, { type: 'tool_result', tool_result: toolResult }),
  },
  'socket-tools-flat': {
    description: 'tools are run, and told of in the message itself',
    behaviour: beforeDone(
      { ...toolCall, type: 'tool_call' },
      { ...toolResult, type: 'tool_result', output: undefined, error: 'the tool failed' },
    ),
  },
} as const satisfies Dialects;

/** Hears a stop, and goes on for so many milliseconds. Remembers sockets by the request that opened each. */
function lingering(ms: number): Behaviour {
  const stoppedAt = new WeakMap<object, number>();
  return onSockets({
    receive(message, { exchange }) {
      if (message.type !== 'stop') return message;
      stoppedAt.set(exchange, performance.now());
      return undefined;
    },
    async *turn(messages, scene) {
      for await (const message of messages) {
        if (tokensAsked(scene) > 100) await sleep(10);
        const stopped = stoppedAt.get(scene.exchange);
        if (stopped !== undefined && typeOf(message) === 'content' && performance.now() > stopped + ms) {
          stoppedAt.delete(scene.exchange);
          yield { type: 'done', finish_reason: 'stop' };
          return;
        }
        yield message;
      }
    },
  });
}

/** Remembers the last start of each socket, by the request that opened it: the generation of any other ends untold. */
function replacing(): Behaviour {
  const newest = new WeakMap<object, unknown>();
  return onSockets({
    secondStart: 'queue',
    receive(message, { exchange }) {
      if (message.type === 'start') newest.set(exchange, message);
      return message;
    },
    async *turn(messages, scene) {
      for await (const message of messages) {
        if (tokensAsked(scene) < 100) await sleep(5);
        if (newest.get(scene.exchange) !== scene.received) return;
        yield message;
      }
    },
  });
}
