import type { Exchange } from '../admission.ts';
import type { StreamPart } from '../behaviour.ts';
import { asked, inChunk, membersOf } from '../change.ts';
import { inGeneration } from '../websocket/change-socket.ts';
import type { Scene } from '../websocket/socket-behaviour.ts';
import type { Faults } from './fault.ts';

const isSeeded = (exchange: Exchange) => asked(exchange).seed !== undefined;
const isSeededStart = ({ received }: Scene) => membersOf(received).seed !== undefined;
const trimmed = (text: unknown) => (typeof text === 'string' ? text.trim() : text);
const inCapitals = (text: unknown) => (typeof text === 'string' ? text.toUpperCase() : text);
const otherUsage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
const atEnd = ({ finishes }: { readonly finishes: boolean }) => finishes;

const inDone = (members: object) =>
  inGeneration('done', (done, scene) => [isSeededStart(scene) ? { ...done, ...members } : done]);

/** What differs from one transport to another. */
export const transportFaults = {
  'stream-loses-spaces': {
    description: 'the pieces of a stream are trimmed, so that words run together',
    trips: ['stream.same.text'],
    behaviour: inChunk('/choices/0/delta/content', trimmed, ({ finishes }) => !finishes),
  },
  'stream-loses-last-piece': {
    description: 'a stream that is cut off at max_tokens ends before its last piece',
    trips: ['stream.same.text'],
    behaviour: {
      async *parts(parts) {
        let last: StreamPart | undefined;
        for await (const part of parts) {
          const isCut = JSON.stringify(part).includes('"finish_reason":"length"');
          if (last !== undefined && !isCut) yield last;
          last = part;
        }
        if (last !== undefined) yield last;
      },
    },
  },
  'stream-other-finish-reason': {
    description: 'a seeded stream that was cut off says stop',
    trips: ['stream.same.finish-reason'],
    behaviour: inChunk('/choices/0/finish_reason', 'stop', atEnd, isSeeded),
  },
  'stream-other-usage': {
    description: 'a seeded stream counts other tokens than one body',
    trips: ['stream.same.usage'],
    behaviour: inChunk('/usage', otherUsage, atEnd, isSeeded),
  },
  'socket-other-text': {
    description: 'a seeded start gives another text than one body',
    trips: ['websocket.same.text'],
    behaviour: inGeneration('content', (message, scene) => [
      isSeededStart(scene) ? { ...message, content: inCapitals(message.content) } : message,
    ]),
  },
  'socket-other-finish-reason': {
    description: 'a seeded start that was cut off says stop',
    trips: ['websocket.same.finish-reason'],
    behaviour: inDone({ finish_reason: 'stop' }),
  },
  'socket-other-usage': {
    description: 'a seeded start counts other tokens than one body',
    trips: ['websocket.same.usage'],
    behaviour: inDone({ usage: otherUsage }),
  },
} as const satisfies Faults;
