import type { Exchange } from '../admission.ts';
import type { Behaviour, StreamPart } from '../behaviour.ts';
import { asked, changed, finishes, inChunk, inHeaders, type Place } from '../change.ts';
import { sendOutgoing } from '../outgoing.ts';
import { accepting } from './checks.ts';
import type { Faults } from './fault.ts';

const second = ({ index }: Place) => index === 1;
const first = ({ index }: Place) => index === 0;
const last = ({ finishes }: Place) => finishes;
const withoutStop = (exchange: Exchange) => typeof asked(exchange).stop !== 'string';

const done = '[DONE]';

/** Gives other parts in the place of each. */
const inPlaceOf = (replace: (part: StreamPart, index: number) => readonly StreamPart[]): Behaviour => ({
  async *parts(parts) {
    let index = 0;
    for await (const part of parts) {
      yield* replace(part, index);
      index += 1;
    }
  },
});

/** Answers a malformed request for a stream with a stream that holds the error. */
const refusingInEvents = (status: number): Behaviour => ({
  send(response, outgoing, answer, exchange) {
    const begun = answer.status === 400 && asked(exchange).stream === true;
    if (!begun || typeof outgoing.body !== 'string') return sendOutgoing(response, outgoing);
    const body = `data: ${outgoing.body}\n\ndata: ${done}\n\n`;
    const headers = {
      ...outgoing.headers,
      'Content-Type': 'text/event-stream',
      'Content-Length': String(Buffer.byteLength(body)),
    };
    return sendOutgoing(response, { status, headers, body });
  },
});

export const streamingFaults = {
  'stream-created-status': {
    description: 'streams are answered with 201',
    trips: ['stream.status'],
    behaviour: { answer: (answer) => (answer.kind === 'stream' ? { ...answer, status: 201 } : answer) },
  },
  'stream-labelled-text': {
    description: 'streams are labelled text/plain',
    trips: ['stream.content-type'],
    behaviour: inHeaders(
      () => ({ 'Content-Type': 'text/plain; charset=utf-8' }),
      (_, { kind }) => kind === 'stream',
    ),
  },
  'stream-labelled-json-lines': {
    description: 'streams are labelled application/x-ndjson',
    trips: ['stream.content-type'],
    behaviour: inHeaders(
      () => ({ 'Content-Type': 'application/x-ndjson' }),
      (_, { kind }) => kind === 'stream',
    ),
  },
  'stream-bare-lines': {
    description: 'chunks come as bare lines of JSON instead of events',
    trips: ['stream.framing'],
    behaviour: { frame: (data) => `${data}\n\n` },
  },
  'event-not-json': {
    description: 'the second event of a stream is not JSON',
    trips: ['stream.framing'],
    behaviour: inPlaceOf((part, index) => (index === 1 ? ['ping', part] : [part])),
  },
  'event-json-cut': {
    description: 'a chunk is spread over two events',
    trips: ['stream.framing'],
    behaviour: inPlaceOf((part, index) => {
      const text = JSON.stringify(part);
      return index === 1 ? [text.slice(0, 30), text.slice(30)] : [part];
    }),
  },
  'event-json-list': {
    description: 'the second event of a stream is a list with the chunk in it',
    trips: ['stream.framing'],
    behaviour: inPlaceOf((part, index) => [index === 1 ? JSON.stringify([part]) : part]),
  },
  'stream-without-done': {
    description: 'streams end without [DONE]',
    trips: ['stream.end.done-marker'],
    behaviour: inPlaceOf((part) => (part === done ? [] : [part])),
  },
  'done-twice': {
    description: 'streams end with two [DONE]',
    trips: ['stream.end.done-marker'],
    behaviour: inPlaceOf((part) => (part === done ? [done, done] : [part])),
  },
  'done-too-early': {
    description: '[DONE] comes before the last chunk',
    trips: ['stream.end.done-marker'],
    behaviour: inPlaceOf((part) => (part === done ? [] : finishes(part) ? [done, part] : [part])),
  },
  'done-in-small-letters': {
    description: 'the marker at the end of streams is [done]',
    trips: ['stream.end.done-marker', 'stream.framing'],
    behaviour: inPlaceOf((part) => [part === done ? '[done]' : part]),
  },
  'done-without-blank-line': {
    description: 'no blank line follows [DONE], so that its event is never complete',
    trips: ['stream.end.done-marker'],
    behaviour: { frame: (data) => (data === done ? `data: ${data}\n` : `data: ${data}\n\n`) },
  },
  'chunk-without-id': {
    description: 'the second chunk of a stream has no id',
    trips: ['stream.chunk.id'],
    behaviour: inChunk('/id', undefined, second),
  },
  'chunk-ids-differ': {
    description: 'the last chunk of a stream has another id',
    trips: ['stream.chunk.id'],
    behaviour: inChunk('/id', (id: string) => `${id}-end`, last),
  },
  'chunk-ids-empty': {
    description: 'the id of all chunks is empty',
    trips: ['stream.chunk.id'],
    behaviour: inChunk('/id', ''),
  },
  'chunk-object-completion': {
    description: 'object of chunks is that of completions',
    trips: ['stream.chunk.object'],
    behaviour: inChunk('/object', 'chat.completion'),
  },
  'chunk-without-object': {
    description: 'the last chunk has no object',
    trips: ['stream.chunk.object'],
    behaviour: inChunk('/object', undefined, last),
  },
  'chunk-created-moves': {
    description: 'created of the last chunk is a second later',
    trips: ['stream.chunk.created-constant'],
    behaviour: inChunk('/created', (seconds: number) => seconds + 1, last),
  },
  'chunk-created-text': {
    description: 'created of chunks is a text',
    trips: ['stream.chunk.created'],
    behaviour: inChunk('/created', String),
  },
  'chunk-without-created': {
    description: 'the second chunk has no created',
    trips: ['stream.chunk.created'],
    behaviour: inChunk('/created', undefined, second),
  },
  'chunk-without-model': {
    description: 'the last chunk does not name its model',
    trips: ['stream.chunk.model'],
    behaviour: inChunk('/model', undefined, last),
  },
  'chunk-models-differ': {
    description: 'the first chunk names another model than the rest',
    trips: ['stream.chunk.model'],
    behaviour: inChunk('/model', 'scripted', first),
  },
  'chunk-without-choices': {
    description: 'the second chunk has an empty list of choices and no usage',
    trips: ['stream.chunk.choices'],
    behaviour: inPlaceOf((part, index) => (index === 1 ? [part, changed(part, '/choices', []) as StreamPart] : [part])),
  },
  'chunk-two-choices': {
    description: 'the second chunk has two choices',
    trips: ['stream.chunk.choices'],
    behaviour: inChunk(
      '/choices',
      ([choice]: readonly object[]) => [choice, { index: 1, delta: {}, finish_reason: null }],
      second,
    ),
  },
  'chunk-index-one': {
    description: 'the choice of all chunks has index 1',
    trips: ['stream.chunk.choices'],
    behaviour: inChunk('/choices/0/index', 1),
  },
  'chunk-without-delta': {
    description: 'the last chunk has no delta',
    trips: ['stream.chunk.choices'],
    behaviour: inChunk('/choices/0/delta', undefined, last),
  },
  'delta-content-number': {
    description: 'a delta has a number as its content',
    trips: ['stream.delta.content'],
    behaviour: inPlaceOf((part, index) =>
      index === 1 ? [changed(part, '/choices/0/delta', { content: 29 }) as StreamPart, part] : [part],
    ),
  },
  'delta-content-parts': {
    description: 'a delta has a list of parts as its content',
    trips: ['stream.delta.content'],
    behaviour: inPlaceOf((part, index) =>
      index === 1 ? [changed(part, '/choices/0/delta', { content: [] }) as StreamPart, part] : [part],
    ),
  },
  'delta-role-user': {
    description: 'the first delta has the role user',
    trips: ['stream.delta.role'],
    behaviour: inChunk('/choices/0/delta/role', 'user', first),
  },
  'delta-role-empty': {
    description: 'every delta has an empty role',
    trips: ['stream.delta.role'],
    behaviour: inChunk('/choices/0/delta/role', ''),
  },
  'finish-reason-early': {
    description: 'a chunk with a finish_reason comes before the content, too',
    trips: ['stream.finish.once'],
    behaviour: inPlaceOf((part, index) =>
      index === 0
        ? [changed(part, '/choices/0', { index: 0, delta: {}, finish_reason: 'stop' }) as StreamPart, part]
        : [part],
    ),
  },
  'finish-reason-twice': {
    description: 'the last chunk comes twice',
    trips: ['stream.finish.once'],
    behaviour: inPlaceOf((part) => (finishes(part) ? [part, part] : [part])),
  },
  'finish-reason-missing': {
    description: 'a stream without a stop sequence ends without a finish_reason',
    trips: ['stream.finish.once'],
    behaviour: inChunk('/choices/0/finish_reason', null, last, withoutStop),
  },
  'finish-reason-unknown': {
    description: 'the finish_reason of a stream is "eos"',
    trips: [
      'stream.finish.once',
      'stream.max-tokens.finish-reason',
      'stream.stop.honoured',
      'tools.stream.finish-reason',
    ],
    behaviour: inChunk('/choices/0/finish_reason', 'eos', last),
  },
  'content-after-finish': {
    description: 'a chunk with content follows the one with the finish_reason',
    trips: ['stream.finish.once'],
    behaviour: {
      async *parts(parts) {
        let held: StreamPart | undefined;
        for await (const part of parts) {
          if (held === undefined && typeof part !== 'string') {
            held = part;
            yield part;
            continue;
          }
          if (part === done && held !== undefined) yield changed(held, '/choices/0/delta/content', ' ') as StreamPart;
          yield part;
        }
      },
    },
  },
  'content-beside-finish': {
    description: 'the chunk with the finish_reason holds content',
    trips: ['stream.finish.empty-delta'],
    behaviour: inChunk('/choices/0/delta/content', ' ', last),
  },
  'malformed-stream-begun': {
    description: 'a malformed request with stream true is answered with 200 and an event that holds the error',
    trips: ['stream.refused.status', 'stream.end.done-marker'],
    behaviour: refusingInEvents(200),
  },
  'malformed-stream-refused-in-events': {
    description: 'a malformed request with stream true is refused with 400, but in a stream of events',
    trips: ['stream.refused.status', 'http.body.json'],
    behaviour: refusingInEvents(400),
  },
  'error-amid-a-stream': {
    description: 'the second event of every stream is an error, and the stream goes on',
    trips: ['stream.end.done-marker'],
    behaviour: inPlaceOf((part, index) =>
      index === 1 ? [{ error: { message: 'a slip', type: 'server_error' } }, part] : [part],
    ),
  },
  'malformed-stream-accepted': {
    description: 'a stream with a temperature that is a text is begun all the same',
    trips: ['stream.refused.status'],
    behaviour: accepting('temperature', (value, { stream }) => typeof value === 'string' && stream === true),
  },
} as const satisfies Faults;
