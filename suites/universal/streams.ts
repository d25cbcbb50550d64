import { chunksOf, deltaText, parseJson } from '../chunks.ts';
import { type Breach, expectEach, expectSchema, expectThat, Violation } from '../expect.ts';
import { isObject, member } from '../member.ts';
import type { Reply } from '../reply.ts';
import { isChat } from './completions.ts';
import { arrived, askedFor, type ExchangeRule, type ExchangeRules } from './rule.ts';

const doneMarker = '[DONE]';
const finishReasons: readonly unknown[] = ['stop', 'length', 'tool_calls', 'content_filter', 'function_call'];

function wasAskedToStream(reply: Reply): boolean {
  return isChat(reply) && arrived(reply) && reply.status === 200 && askedFor(reply).stream === true;
}

const wasToldToFail = ({ exchange }: Reply) => exchange.request.demand !== undefined;
const isStream = (reply: Reply) => wasAskedToStream(reply) && reply.isStream && reply.bodyProblem === undefined;
const hasChunks = (reply: Reply) => isStream(reply) && chunksOf(reply).length > 0;

const everyChunk = (look: (reply: Reply, chunk: unknown, index: number) => undefined): ExchangeRule => ({
  applies: hasChunks,
  judge: (reply) => {
    let index = 0;
    return expectEach(chunksOf(reply), (chunk) => look(reply, chunk, index++));
  },
});

/** A member that every chunk has, in the schema's form and with one value in all of the stream. */
const constant = (name: 'id' | 'model'): ExchangeRule => ({
  applies: hasChunks,
  judge: (reply) => {
    const chunks = chunksOf(reply);
    expectEach(chunks, (chunk) => expectSchema(reply, 'chat-chunk', chunk, `/${name}`));
    return expectConstant(reply, name);
  },
});

function expectConstant(reply: Reply, name: 'id' | 'created' | 'model'): undefined {
  const values = [...new Set(chunksOf(reply).map((chunk) => chunk[name]))].filter((value) => value !== undefined);
  return expectThat(reply, `/${name} over all chunks`, values.length <= 1, 'one value', values);
}

export const streamRules: ExchangeRules = {
  'stream.content-type': {
    applies: wasAskedToStream,
    judge: (reply) => {
      const holds = reply.mediaType === 'text/event-stream';
      return expectThat(reply, 'Content-Type', holds, 'text/event-stream', reply.header('content-type'));
    },
  },
  'stream.framing': {
    applies: isStream,
    judge: (reply) => {
      expectThat(reply, 'body', reply.events.length > 0, 'server-sent events', reply.text);
      return expectEach(reply.events, ({ data }) =>
        expectThat(
          reply,
          'data of an event',
          data === doneMarker || isObject(parseJson(data)),
          'a JSON object or [DONE]',
          data,
        ),
      );
    },
  },
  'stream.end.done-marker': {
    applies: (reply) => isStream(reply) && reply.events.length > 0 && !wasToldToFail(reply),
    judge: (reply) => {
      const error = reply.events.find(({ data }) => isObject(member(parseJson(data), 'error')));
      expectThat(reply, 'event with an error', error === undefined, 'none', error?.data);
      const markers = reply.events.filter(({ data }) => data === doneMarker).length;
      expectThat(reply, '[DONE] events', markers === 1, 'exactly one', markers);
      const last = reply.events.at(-1);
      expectThat(reply, 'last event', last?.data === doneMarker, doneMarker, last?.data);
      // Parsers of server-sent events drop an event that no blank line ends.
      return expectThat(reply, 'end of the last event', !last?.unterminated, 'a blank line', 'the end of the body');
    },
  },
  'stream.chunk.id': constant('id'),
  'stream.chunk.object': everyChunk((reply, chunk) => expectSchema(reply, 'chat-chunk', chunk, '/object')),
  'stream.chunk.created': everyChunk((reply, chunk) => expectSchema(reply, 'chat-chunk', chunk, '/created')),
  'stream.chunk.created-constant': {
    applies: hasChunks,
    judge: (reply) => expectConstant(reply, 'created'),
  },
  'stream.chunk.model': constant('model'),
  'stream.chunk.choices': everyChunk((reply, chunk, index) => {
    const choices = member(chunk, 'choices');
    const usageOnly = Array.isArray(choices) && choices.length === 0 && isObject(member(chunk, 'usage'));
    const single =
      Array.isArray(choices) &&
      choices.length === 1 &&
      member(choices[0], 'index') === 0 &&
      isObject(member(choices[0], 'delta'));
    return expectThat(
      reply,
      `/choices of chunk ${index}`,
      usageOnly || single,
      'one choice with index 0 and a delta',
      choices,
    );
  }),
  'stream.delta.content': everyChunk((reply, chunk, index) => {
    const content = member(chunk, 'choices', 0, 'delta', 'content') ?? null;
    return expectThat(
      reply,
      `content of chunk ${index}`,
      content === null || typeof content === 'string',
      'a string or null',
      content,
    );
  }),
  'stream.delta.role': everyChunk((reply, chunk, index) => {
    const role = member(chunk, 'choices', 0, 'delta', 'role') ?? null;
    return expectThat(reply, `role of chunk ${index}`, role === null || role === 'assistant', 'assistant', role);
  }),
  'stream.finish.once': {
    applies: (reply) => hasChunks(reply) && !wasToldToFail(reply),
    judge: (reply) => {
      const reasons = choicesOf(reply).map((choice) => member(choice, 'finish_reason') ?? null);
      const early: Breach[] = reasons
        .slice(0, -1)
        .filter((reason) => reason !== null)
        .map((reason) => ({
          reply,
          subject: 'finish_reason before the last chunk',
          expected: ['null'],
          actual: JSON.stringify(reason),
        }));
      if (early.length > 0) throw new Violation(early);
      const last = reasons.at(-1);
      return expectThat(
        reply,
        'finish_reason of the last chunk',
        finishReasons.includes(last),
        finishReasons.join(', '),
        last,
      );
    },
  },
  'stream.finish.empty-delta': {
    applies: (reply) => hasChunks(reply) && finishing(reply).length > 0,
    judge: (reply) =>
      expectEach(finishing(reply), (chunk) =>
        expectThat(
          reply,
          'delta beside the finish_reason',
          deltaText(chunk) === '',
          'no content',
          member(chunk, 'choices', 0, 'delta'),
        ),
      ),
  },
};

function choicesOf(reply: Reply): readonly unknown[] {
  return chunksOf(reply)
    .map((chunk) => member(chunk, 'choices', 0))
    .filter((choice) => choice !== undefined);
}

function finishing(reply: Reply): readonly unknown[] {
  return chunksOf(reply).filter((chunk) => (member(chunk, 'choices', 0, 'finish_reason') ?? null) !== null);
}
