import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../api-error.ts';
import type { Behaviour } from '../behaviour.ts';
import { membersOf } from '../change.ts';
import { inGeneration, inReply, onSockets, tokensAsked, typeOf } from '../websocket/change-socket.ts';
import type { Outbound, Scene, SocketBehaviour, SocketStep } from '../websocket/socket-behaviour.ts';
import { socketPath } from '../websocket/upgrade.ts';
import type { Faults } from './fault.ts';

const deciding = (
  steps: readonly SocketStep[],
  when: (scene: Scene) => boolean,
  instead?: ApiError,
): Pick<Behaviour, 'socket'> =>
  onSockets({ decide: (refusal, step, scene) => (steps.includes(step) && when(scene) ? instead : refusal) });

const always = () => true;
const nothing = () => [];
const isKeyless = ({ keyPlace }: Scene) => keyPlace === undefined;
const isUnknownKey = ({ keyPlace, exchange }: Scene) => keyPlace !== undefined && !exchange.authenticated;
const modelOf = ({ received }: Scene) => membersOf(received).model;
const isUnknownModel = (scene: Scene) => /no-such-model/.test(String(modelOf(scene)));

/** Long answers come slowly for four seconds, so that what happens meanwhile can be seen. */
const slowly: Pick<Required<SocketBehaviour>, 'turn'> = {
  async *turn(messages, scene) {
    let index = 0;
    for await (const message of messages) {
      if (tokensAsked(scene) > 100 && index < 40) await sleep(100);
      index += 1;
      yield message;
    }
  },
};

/** Long answers come with so many milliseconds before each token. */
const every = (ms: number): Required<SocketBehaviour>['turn'] =>
  async function* (messages, scene) {
    for await (const message of messages) {
      if (tokensAsked(scene) > 100) await sleep(ms);
      yield message;
    }
  };

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

/** Starts count for another account than chats do. */
const countedFor = (nameOf: (id: string) => string) =>
  onSockets({ countsFor: (account) => ({ ...account, id: nameOf(account.id) }) });
const apart = (id: string) => `${id} over sockets`;

/** A generation over a socket takes no place from other chats. */
const withoutPlace: Pick<Behaviour, 'place'> = {
  place(place, { url }) {
    if (url.startsWith(socketPath)) void place.release();
    return place;
  },
};

export const websocketFaults = {
  'socket-starts-uncounted': {
    description: 'starts over sockets count for no limit on requests',
    trips: ['limits.shared.requests'],
    behaviour: countedFor(() => randomUUID()),
  },
  'socket-starts-counted-apart': {
    description: 'starts over sockets have a limit on requests of their own',
    trips: ['limits.shared.requests'],
    behaviour: countedFor(apart),
  },
  'socket-places-apart': {
    description: 'generations over sockets neither keep to the limit on chats at the same time nor count for it',
    trips: ['limits.shared.concurrent'],
    behaviour: { ...deciding(['place'], always), ...withoutPlace },
  },
  'socket-tokens-unlimited': {
    description: 'a start with a key whose tokens of the day are used up is answered',
    trips: ['limits.shared.tokens'],
    behaviour: deciding(['tokens'], always),
  },
  'socket-limits-apart': {
    description: 'no limit of the tier is kept together over sockets and chats in bodies',
    trips: ['limits.shared.requests', 'limits.shared.concurrent', 'limits.shared.tokens'],
    behaviour: {
      ...onSockets({
        countsFor: (account) => ({ ...account, id: apart(account.id) }),
        decide: (refusal, step) => (step === 'tokens' || step === 'place' ? undefined : refusal),
      }),
      ...withoutPlace,
    },
  },
  'socket-not-found': {
    description: 'nothing is found where the WebSocket is documented',
    trips: ['websocket.upgrade.status'],
    behaviour: deciding(['upgrade'], always, new ApiError('invalid_request', 'nothing is here', { status: 404 })),
  },
  'socket-upgrade-refused': {
    description: 'a request for a WebSocket is answered with 426',
    trips: ['websocket.upgrade.status'],
    behaviour: deciding(['upgrade'], always, new ApiError('invalid_request', 'no sockets here', { status: 426 })),
  },
  'socket-head-without-limits': {
    description: 'the 101 of a socket has no X-RateLimit headers',
    trips: ['websocket.upgrade.rate-limit-headers'],
    behaviour: onSockets({ head: () => ({}) }),
  },
  'socket-reserved-opcode': {
    description: 'a pong is a frame of an opcode that WebSocket does not have',
    trips: ['websocket.protocol.sound'],
    behaviour: onSockets({
      transmit: (channel, text) =>
        text.includes('"pong"') ? channel.raw(Uint8Array.of(0x83, 0x00)) : channel.text(text),
    }),
  },
  'socket-masked-frames': {
    description: 'a pong is masked, which only clients may do',
    trips: ['websocket.protocol.sound'],
    behaviour: onSockets({
      transmit: (channel, text) =>
        text.includes('"pong"') ? channel.raw(Uint8Array.of(0x81, 0x80, 1, 2, 3, 4)) : channel.text(text),
    }),
  },
  'socket-accept-wrong': {
    description: 'the 101 has a Sec-WebSocket-Accept that does not belong to the request',
    trips: ['websocket.protocol.sound'],
    behaviour: onSockets({ head: (headers) => ({ ...headers, 'Sec-WebSocket-Accept': 'c3RhY2syOQ==' }) }),
  },
  'socket-valid-key-refused': {
    description: 'sockets refuse the valid key, wherever it is given',
    trips: ['websocket.key.accepted'],
    behaviour: deciding(['key'], ({ keyPlace }) => keyPlace !== undefined, new ApiError('invalid_api_key', 'no')),
  },
  'socket-keyless-answered': {
    description: 'a socket without a key is answered',
    trips: ['websocket.key.missing'],
    behaviour: deciding(['key'], isKeyless),
  },
  'socket-keyless-forbidden': {
    description: 'a request for a socket without a key is refused with 403',
    trips: ['websocket.key.missing'],
    behaviour: deciding(['key'], isKeyless, new ApiError('account_disabled', 'this account is refused')),
  },
  'socket-unknown-key-answered': {
    description: 'a socket takes any key at all',
    trips: ['websocket.key.unknown'],
    behaviour: deciding(['key'], isUnknownKey),
  },
  'socket-unknown-key-malformed': {
    description: 'a request for a socket with an unknown key is refused with 400',
    trips: ['websocket.key.unknown'],
    behaviour: deciding(['key'], isUnknownKey, new ApiError('invalid_request', 'this key is no key')),
  },
  'socket-start-refused': {
    description: 'every start is answered with an error',
    trips: ['websocket.start.answered'],
    behaviour: deciding(['body'], always, new ApiError('invalid_request', 'this start is refused')),
  },
  'socket-done-missing': {
    description: 'no generation is followed by done',
    trips: ['websocket.start.done', 'websocket.stop.done'],
    behaviour: inGeneration('done', nothing),
  },
  'socket-done-missing-at-end': {
    description: 'a generation that comes to its own end is not followed by done',
    trips: ['websocket.start.done'],
    behaviour: inGeneration('done', (done) => (done.finish_reason === 'stop' ? [done] : [])),
  },
  'socket-closes-instead-of-done': {
    description: 'the end of a generation closes the socket without a done',
    trips: ['websocket.start.done'],
    behaviour: onSockets({
      async transmit(channel, text) {
        if (text.startsWith('{"type":"done"')) channel.close(1000, '');
        else await channel.text(text);
      },
    }),
  },
  'socket-drops-instead-of-done': {
    description: 'the end of a generation drops the connection without a done and a close',
    trips: ['websocket.start.done'],
    behaviour: onSockets({
      async transmit(channel, text) {
        if (text.startsWith('{"type":"done"')) channel.drop();
        else await channel.text(text);
      },
    }),
  },
  'socket-done-missing-after-stop': {
    description: 'a generation that was stopped is not followed by done',
    trips: ['websocket.stop.done'],
    behaviour: inGeneration('done', (done) => (done.finish_reason === 'stop' ? [] : [done])),
  },
  'socket-unknown-model-answered': {
    description: 'a start with an unknown model is answered by the one there is',
    trips: ['websocket.start.unknown-model'],
    behaviour: deciding(['model'], isUnknownModel),
  },
  'socket-unknown-model-ignored': {
    description: 'a start with an unknown model is dropped in silence',
    trips: ['websocket.start.unknown-model'],
    behaviour: inReply('error', nothing, (_, scene) => isUnknownModel(scene)),
  },
  'socket-unknown-model-closed': {
    description: 'a start with an unknown model closes the socket without an error message',
    trips: ['websocket.start.unknown-model'],
    behaviour: onSockets({
      async transmit(channel, text) {
        if (text.includes('model_not_found')) channel.close(1008, 'no such model');
        else await channel.text(text);
      },
    }),
  },
  'socket-model-optional': {
    description: 'a start without a model is answered by the one there is',
    trips: ['websocket.start.model-required'],
    behaviour: onSockets({
      receive: (message) => (message.type === 'start' ? { model: 'any', ...message } : message),
      decide: (refusal, step, scene) => (step === 'model' && modelOf(scene) === undefined ? undefined : refusal),
    }),
  },
  'socket-model-missing-ignored': {
    description: 'a start without a model is dropped in silence',
    trips: ['websocket.start.model-required'],
    behaviour: inReply('error', nothing, (_, scene) => {
      const { type } = membersOf(scene.received);
      return type === 'start' && modelOf(scene) === undefined;
    }),
  },
  'socket-serves-once': {
    description: 'a start after done is refused',
    trips: ['websocket.start.again'],
    behaviour: servingOnce(),
  },
  'socket-closes-after-done': {
    description: 'the socket is closed after done',
    trips: ['websocket.start.again'],
    behaviour: onSockets({
      async transmit(channel, text) {
        await channel.text(text);
        if (text.startsWith('{"type":"done"')) channel.close(1000, 'come again');
      },
    }),
  },
  'socket-second-start-dropped': {
    description: 'a start while a generation runs is dropped in silence',
    trips: ['websocket.start.while-running'],
    behaviour: onSockets({
      receive: (message, { running }) => (running && message.type === 'start' ? undefined : message),
    }),
  },
  'socket-stop-ignored': {
    description: 'a generation goes on after stop',
    trips: ['websocket.stop.content'],
    behaviour: onSockets({ receive: (message) => (message.type === 'stop' ? undefined : message), ...slowly }),
  },
  'socket-stop-ignored-fast': {
    description: 'a generation of hundreds of tokens a second goes on after stop',
    trips: ['websocket.stop.content'],
    behaviour: onSockets({
      receive: (message) => (message.type === 'stop' ? undefined : message),
      turn: every(3),
    }),
  },
  'socket-pong-missing': {
    description: 'pings are not answered',
    trips: ['websocket.ping.pong'],
    behaviour: inReply('pong', nothing),
  },
  'socket-pong-as-ping': {
    description: 'a ping is answered with a message of the type ping',
    trips: ['websocket.ping.pong', 'websocket.message.known-type'],
    behaviour: inReply('pong', () => [{ type: 'ping' }]),
  },
  'socket-pong-missing-while-generating': {
    description: 'pings are not answered while a generation runs',
    trips: ['websocket.ping.while-generating'],
    behaviour: onSockets({
      reply: (message, { running }) => (running && typeOf(message) === 'pong' ? [] : [message]),
      ...slowly,
    }),
  },
  'socket-pong-late': {
    description: 'a ping while a generation runs is answered after more than two seconds',
    trips: ['websocket.ping.while-generating'],
    behaviour: pongLater((index) => index === 23),
  },
  'socket-pong-at-stop': {
    description: 'a ping while a generation runs is answered when stop ends it',
    trips: ['websocket.ping.while-generating'],
    behaviour: pongLater((_, message) => membersOf(message).finish_reason === 'stop'),
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

/** Keeps the pong of a ping back while a long answer comes slowly, until a message of which it is told the number. */
function pongLater(isDue: (index: number, message: Outbound) => boolean): Behaviour {
  return onSockets({
    reply: (message, { running }) => (running && typeOf(message) === 'pong' ? [] : [message]),
    async *turn(messages, scene) {
      let index = 0;
      for await (const message of slowly.turn(messages, scene)) {
        if (tokensAsked(scene) > 100 && isDue(index, message)) yield { type: 'pong' };
        index += 1;
        yield message;
      }
    },
  });
}

/** Remembers sockets, each by the request that opened it, and no more than these. */
function servingOnce(): Behaviour {
  const served = new WeakSet<object>();
  const refusal = new ApiError('invalid_request', 'this socket was used');
  return onSockets({
    decide(refused, step, { exchange }) {
      if (step !== 'body' || refused) return refused;
      if (served.has(exchange)) return refusal;
      served.add(exchange);
      return undefined;
    },
  });
}
