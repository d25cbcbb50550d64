import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../api-error.ts';
import type { Behaviour } from '../behaviour.ts';
import { membersOf } from '../change.ts';
import { inGeneration, inReply, onSockets, tokensAsked, typeOf } from '../websocket/change-socket.ts';
import type { Outbound, Scene, SocketBehaviour } from '../websocket/socket-behaviour.ts';
import { always, decidingOnSockets as deciding } from './checks.ts';
import type { Faults } from './fault.ts';

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

const usedUp = 'this socket was used';

export const websocketFaults = {
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
  'socket-closes-at-next-start': {
    description: 'a start after done closes the socket without an error message',
    trips: ['websocket.start.again'],
    behaviour: {
      socket: {
        ...servingOnce().socket,
        async transmit(channel, text) {
          if (text.includes(usedUp)) channel.close(1000, 'come again');
          else await channel.text(text);
        },
      },
    },
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
  'socket-stop-ignored-for-two-seconds': {
    description: 'a generation goes on after stop, and is over when what was under way may just have arrived',
    trips: ['websocket.stop.content'],
    behaviour: onSockets({
      receive: (message) => (message.type === 'stop' ? undefined : message),
      turn: every(5),
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
  const refusal = new ApiError('invalid_request', usedUp);
  return onSockets({
    decide(refused, step, { exchange }) {
      if (step !== 'body' || refused) return refused;
      if (served.has(exchange)) return refusal;
      served.add(exchange);
      return undefined;
    },
  });
}
