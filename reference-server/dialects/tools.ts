import { randomUUID } from 'node:crypto';
import type { Behaviour, StreamPart } from '../behaviour.ts';
import { asked, changed, finishes, inBody, inChunk, isObject, membersOf } from '../change.ts';
import type { Dialects } from './dialect.ts';

type Calls = readonly Readonly<Record<string, unknown>>[];

const callsOf = (part: StreamPart): Calls => {
  const { choices } = membersOf(part);
  const delta = Array.isArray(choices) ? membersOf(membersOf(choices[0]).delta) : {};
  return Array.isArray(delta.tool_calls) ? delta.tool_calls : [];
};

/** Changes the calls of an answer in one body, and those of a stream piece by piece. */
const inAllCalls = (change: (calls: Calls) => Calls): Behaviour => {
  const where = (calls?: Calls) => calls && change(calls);
  return {
    ...inBody('completion', '/choices/0/message/tool_calls', where),
    ...inChunk('/choices/0/delta/tool_calls', where),
  };
};

/** Changes the content of a message that calls tools. */
const contentBesideCalls = (content: unknown): Behaviour =>
  inBody('completion', '/choices/0/message', (message: unknown) =>
    membersOf(message).tool_calls === undefined ? message : changed(message, '/content', content),
  );

/** The same call a second time. */
const twin = (call: Readonly<Record<string, unknown>>) => ({
  ...call,
  ...(call.id !== undefined && { id: `${call.id}b` }),
  ...(call.index !== undefined && { index: 1 }),
});

/** Puts other pieces in the place of those of a stream, once all are known. */
const regrouped = (regroup: (pieces: Calls) => readonly Calls[]): Behaviour => ({
  async *parts(parts) {
    const pieces: Calls[number][] = [];
    for await (const part of parts) {
      const calls = callsOf(part);
      pieces.push(...calls);
      if (calls.length > 0) continue;
      if (finishes(part) && pieces.length > 0) {
        const empty = changed(part, '/choices/0/finish_reason', null);
        for (const tool_calls of regroup(pieces))
          yield changed(empty, '/choices/0/delta', { tool_calls }) as StreamPart;
      }
      yield part;
    }
  },
});

const argumentsOf = (piece: unknown) => String(membersOf(membersOf(piece).function).arguments ?? '');

const whole = ([first, ...rest]: Calls): readonly Calls[] => {
  const text = [first, ...rest].map(argumentsOf).join('');
  return [[changed(first, '/function/arguments', text) as Calls[number]]];
};

export const toolDialects = {
  'call-content-empty': {
    description: 'the content beside tool calls is an empty text',
    behaviour: contentBesideCalls(''),
  },
  'call-content-absent': {
    description: 'a message with tool calls has no member content',
    behaviour: contentBesideCalls(undefined),
  },
  'call-content-text': {
    description: 'a message with tool calls says something, too',
    behaviour: contentBesideCalls('I will look that up.'),
  },
  'call-id-short': {
    description: 'the id of tool calls is nine characters',
    behaviour: inAllCalls((calls) =>
      calls.map((call) => (call.id === undefined ? call : { ...call, id: randomUUID().slice(0, 9) })),
    ),
  },
  'call-with-index': {
    description: 'tool calls have an index in one body, too, and more members that nobody knows',
    behaviour: inBody('completion', '/choices/0/message/tool_calls', (calls?: Calls) =>
      calls?.map((call, index) => ({ ...call, index, custom: null })),
    ),
  },
  'call-finish-stop-by-name': {
    description: 'a call that was forced by name ends with stop',
    behaviour: {
      ...inBody('completion', '/choices/0/finish_reason', 'stop', (exchange) => isObject(asked(exchange).tool_choice)),
      ...inChunk(
        '/choices/0/finish_reason',
        'stop',
        (place) => place.finishes,
        (exchange) => isObject(asked(exchange).tool_choice),
      ),
    },
  },
  'call-ids-constant': {
    description: 'the call of an answer has the same id as those of other answers',
    behaviour: inAllCalls((calls) => calls.map((call) => (call.id === undefined ? call : { ...call, id: 'call_0' }))),
  },
  'calls-parallel': {
    description: 'a function that is called is called twice, in a stream with its pieces by turns',
    behaviour: inAllCalls((calls) => calls.flatMap((call) => [call, twin(call)])),
  },
  'calls-backwards': {
    description: 'of two streamed calls the one with the higher index comes first',
    behaviour: regrouped((pieces) => [...pieces.map(twin), ...pieces].map((piece) => [piece])),
  },
  'call-in-one-delta': {
    description: 'a streamed call comes whole, in one delta',
    behaviour: regrouped(whole),
  },
  'call-letter-by-letter': {
    description: 'the arguments of a streamed call come letter by letter',
    behaviour: regrouped(([first, ...rest]) => [
      ...(first ? [[first]] : []),
      ...rest.flatMap((piece) =>
        [...argumentsOf(piece)].map((letter) => [{ index: piece.index, function: { arguments: letter } }]),
      ),
    ]),
  },
  'call-id-repeated': {
    description: 'every piece of a streamed call has its id and type',
    behaviour: regrouped((pieces) => pieces.map((piece) => [{ ...piece, id: pieces[0]?.id, type: 'function' }])),
  },
  'call-pieces-empty': {
    description: 'pieces of a streamed call have a null and an empty member besides',
    behaviour: regrouped((pieces) =>
      pieces.flatMap((piece) => [[piece], [{ index: piece.index, id: null, function: { name: null, arguments: '' } }]]),
    ),
  },
} as const satisfies Dialects;
