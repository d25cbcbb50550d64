import { argumentsIn, callPieces, callsOf, joinedArguments, piecesByCall } from '../calls.ts';
import { chunksOf, finishReasons, parseJson } from '../chunks.ts';
import { expectEach, expectThat, need } from '../expect.ts';
import { isObject, member } from '../member.ts';
import type { Reply } from '../reply.ts';
import { isChat, isCompletion } from './completions.ts';
import { arrived, type ExchangeRule, type ExchangeRules } from './rule.ts';

const isText = (value: unknown) => typeof value === 'string' && value !== '';
const hasCalls = (reply: Reply) => isCompletion(reply) && callsOf(reply).length > 0;
/** A call that max_tokens cut off has no whole arguments. */
const wasCut = (reply: Reply) => member(reply.json, 'choices', 0, 'finish_reason') === 'length';

const everyCall = (
  part: string,
  expected: string,
  holds: (value: unknown) => boolean,
  applies: (reply: Reply) => boolean = hasCalls,
): ExchangeRule => ({
  applies,
  judge: (reply) => {
    let index = 0;
    return expectEach(callsOf(reply), (call) => {
      const value = member(call, ...part.split('/'));
      return expectThat(reply, `/choices/0/message/tool_calls/${index++}/${part}`, holds(value), expected, value);
    });
  },
});

const hasPieces = (reply: Reply) =>
  isChat(reply) && arrived(reply) && reply.status === 200 && chunksOf(reply).length > 0 && callPieces(reply).length > 0;

const everyStreamedCall = (look: (reply: Reply, pieces: readonly unknown[]) => undefined): ExchangeRule => ({
  applies: hasPieces,
  judge: (reply) => expectEach(piecesByCall(reply), (pieces) => look(reply, pieces)),
});

/** The ids of an answer's calls, but for those that are none. */
const idsOf = (reply: Reply) =>
  callsOf(reply)
    .map((call) => member(call, 'id'))
    .filter(isText);

export const toolRules: ExchangeRules = {
  'tools.call.id': everyCall('id', 'a string that is not empty', isText),
  'tools.call.id-unique': {
    applies: (reply) => (hasCalls(reply) || hasPieces(reply)) && idsOf(reply).length > 1,
    absent: 'no answer calls more than one function',
    judge: (reply) => {
      const ids = idsOf(reply);
      return expectThat(reply, 'ids of the tool calls', new Set(ids).size === ids.length, 'each id once', ids);
    },
  },
  'tools.call.type': everyCall('type', '"function"', (type) => type === 'function'),
  'tools.call.name': everyCall('function/name', 'a string that is not empty', isText),
  'tools.call.arguments': everyCall('function/arguments', 'a string', (text) => typeof text === 'string'),
  'tools.call.arguments-json': everyCall(
    'function/arguments',
    'the text of a JSON object',
    (text) => typeof text !== 'string' || argumentsIn(text) !== undefined,
    (reply) => hasCalls(reply) && !wasCut(reply),
  ),
  'tools.delta.index': {
    applies: hasPieces,
    judge: (reply) =>
      expectEach(callPieces(reply), ({ index }) =>
        expectThat(
          reply,
          'index of a piece of tool_calls',
          Number.isInteger(index) && Number(index) >= 0,
          'an integer of at least 0',
          index,
        ),
      ),
  },
  'tools.delta.head': everyStreamedCall((reply, [first]) => {
    const holds =
      isText(member(first, 'id')) && member(first, 'type') === 'function' && isText(member(first, 'function', 'name'));
    return expectThat(reply, 'first piece of a call', holds, 'id, the type "function", and function.name', first);
  }),
  'tools.delta.arguments': everyStreamedCall((reply, pieces) => {
    need(
      reply.events.every(({ data }) => data === '[DONE]' || isObject(parseJson(data))),
      'an event of the stream cannot be read',
    );
    for (const piece of pieces) {
      const text = member(piece, 'function', 'arguments') ?? '';
      expectThat(reply, 'arguments of a piece', typeof text === 'string', 'a string', text);
    }
    need(finishReasons(reply).at(-1) !== 'length', 'max_tokens ended the answer amid a call');
    const text = joinedArguments(pieces);
    return expectThat(
      reply,
      'arguments of all pieces together',
      argumentsIn(text) !== undefined,
      'the text of a JSON object',
      text,
    );
  }),
};
