import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Behaviour, StreamPart } from '../behaviour.ts';
import { changed, inChunk, isObject, membersOf } from '../change.ts';
import { sendOutgoing } from '../outgoing.ts';
import type { Dialects } from './dialect.ts';

const framed = (frame: (data: string) => string): Behaviour => ({ frame });

/** Cuts the bytes of streams into other pieces. */
const pieces = (split: (pieces: AsyncIterable<string | Uint8Array>) => AsyncIterable<Uint8Array>): Behaviour => ({
  send: (response, outgoing) =>
    sendOutgoing(response, typeof outgoing.body === 'string' ? outgoing : { ...outgoing, body: split(outgoing.body) }),
});

async function* oneByOne(source: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    for (const byte of Buffer.from(piece)) yield Uint8Array.of(byte);
  }
}

async function* allAtOnce(source: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const piece of source) parts.push(Buffer.from(piece));
  yield Buffer.concat(parts);
}

async function* withMark(source: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from('\ufeff');
  for await (const piece of source) yield Buffer.from(piece);
}

/** The server counts the tokens of every stream, asked for or not. */
const counting: Required<Pick<Behaviour, 'body'>> = {
  body: (body) => (membersOf(body).stream === true ? { ...membersOf(body), stream_options: countUsage } : body),
};
const countUsage = { include_usage: true };

/** The usage moves from a chunk of its own into the one before it. */
async function* usageMovedUp(parts: AsyncIterable<StreamPart>): AsyncGenerator<StreamPart> {
  let held: StreamPart | undefined;
  for await (const part of parts) {
    const { usage } = membersOf(part);
    if (held !== undefined) yield usage === undefined ? held : ({ ...membersOf(held), usage } as StreamPart);
    held = usage === undefined ? part : undefined;
  }
  if (held !== undefined) yield held;
}

/** Puts a chunk before the first. */
const beginningWith = (delta: object): Behaviour => ({
  async *parts(parts) {
    let begun = false;
    for await (const part of parts) {
      if (!begun) yield changed(part, '/choices/0/delta', delta) as StreamPart;
      begun = true;
      yield part;
    }
  },
});

export const streamDialects = {
  'delta-role-nowhere': {
    description: 'no delta has a role, as in the example',
    behaviour: inChunk('/choices/0/delta/role', undefined),
  },
  'delta-role-first': {
    description: 'a first delta has the role and an empty content',
    behaviour: beginningWith({ role: 'assistant', content: '' }),
  },
  'delta-role-alone': {
    description: 'a first delta has the role and nothing else',
    behaviour: beginningWith({ role: 'assistant' }),
  },
  'delta-role-everywhere': {
    description: 'every delta has the role',
    behaviour: inChunk('/choices/0/delta/role', 'assistant'),
  },
  'delta-content-null': {
    description: 'a first delta has a content of null',
    behaviour: beginningWith({ role: 'assistant', content: null }),
  },
  'last-delta-null': {
    description: 'the last delta has a content of null',
    behaviour: inChunk('/choices/0/delta/content', null, ({ finishes }) => finishes),
  },
  'last-delta-empty-text': {
    description: 'the last delta has an empty content',
    behaviour: inChunk('/choices/0/delta/content', '', ({ finishes }) => finishes),
  },
  'finish-reason-absent': {
    description: 'only the last chunk has the member finish_reason',
    behaviour: inChunk('/choices/0/finish_reason', undefined, ({ finishes }) => !finishes),
  },
  'usage-chunk': {
    description: 'a last chunk without choices reports the usage, asked for or not',
    behaviour: counting,
  },
  'usage-null': {
    description: 'every chunk has a usage of null',
    behaviour: inChunk('/usage', null),
  },
  'usage-in-last-chunk': {
    description: 'the chunk with the finish_reason reports the usage',
    behaviour: { ...counting, parts: usageMovedUp },
  },
  'chunk-fingerprint': {
    description: 'every chunk has a system_fingerprint',
    behaviour: inChunk('/system_fingerprint', 'fp_29'),
  },
  'sse-comments': {
    description: 'comments come before every event',
    behaviour: framed((data) => `: keep-alive\n\n:\ndata: ${data}\n\n`),
  },
  'sse-crlf': {
    description: 'lines of streams end in CRLF',
    behaviour: framed((data) => `data: ${data}\r\n\r\n`),
  },
  'sse-cr': {
    description: 'lines of streams end in CR',
    behaviour: framed((data) => `data: ${data}\r\r`),
  },
  'sse-without-space': {
    description: 'no space follows the colon of data',
    behaviour: framed((data) => `data:${data}\n\n`),
  },
  'sse-many-lines': {
    description: 'the JSON of an event is spread over several data lines',
    behaviour: framed((data) => {
      const text = data.startsWith('{') ? JSON.stringify(JSON.parse(data), null, 1) : data;
      return `${text.replaceAll(/^/gm, 'data: ')}\n\n`;
    }),
  },
  'sse-other-fields': {
    description: 'events have the fields event, id and retry, and one that nobody knows',
    behaviour: framed((data) => `event: message\nid: 29\nretry: 3000\nstack: 2.9\ndata: ${data}\n\n`),
  },
  'sse-blank-lines': {
    description: 'several blank lines follow every event',
    behaviour: framed((data) => `data: ${data}\n\n\n\n`),
  },
  'sse-mark': {
    description: 'streams begin with a byte order mark',
    behaviour: pieces(withMark),
  },
  'failed-stream-broken-off': {
    description: 'a stream that fails breaks its connection off',
    behaviour: {
      async *parts(parts) {
        for await (const part of parts) {
          if (isObject(membersOf(part).error)) {
            // What came before is to reach the client.
            await nextTurn();
            throw new Error('the connection is to break here');
          }
          yield part;
        }
      },
    },
  },
  'bytes-one-by-one': {
    description: 'streams arrive byte by byte',
    behaviour: pieces(oneByOne),
  },
  'bytes-all-at-once': {
    description: 'all events of a stream arrive together',
    behaviour: pieces(allAtOnce),
  },
} as const satisfies Dialects;
