import { chunksOf, deltaText } from '../chunks.ts';
import { expectStatus, expectThat, need } from '../expect.ts';
import { type Context, defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { askedFor } from '../universal/rule.ts';
import {
  answerText,
  askForText,
  completionTokens,
  expectSameText,
  finishReason,
  isTextOf,
  needReadable,
} from './answer.ts';
import { needAnsweredChat } from './prerequisites.ts';
import { expectStopExcluded, expectStopped, expectStopReason, type Stopped, stopPiece } from './stop.ts';

interface LongStream {
  /** The same request, answered in one body. */
  readonly body: Reply;
  readonly stream: Reply;
  /** The first answer once more, where the stream gave another text: does the target repeat itself at all? */
  readonly again: Reply | undefined;
  /** The stream with a stop sequence out of its text, where that holds one. */
  readonly stopped: Stopped | undefined;
}

/** @throws Inconclusive where the answer is no stream with text in it */
function needStream(reply: Reply): undefined {
  need(reply.status !== 200 || reply.isStream, 'the answer is not an event stream');
  need(answerText(reply) !== '', 'the stream held no text');
}

function needStopped({ stopped }: LongStream): Stopped {
  need(stopped !== undefined, 'the stream holds no piece that can serve as a stop sequence');
  return stopped;
}

const longStream = defineProbe<LongStream>({
  name: 'a long answer cut by max_tokens, in one body and streamed, and a stream cut at a stop sequence',
  cost: { requests: 5, tokens: 2_250 },
  async act(target) {
    const { members, reply: body } = await askForText(target);
    const stream = await target.chat({ ...members, stream: true });
    const whole = streamedText(stream);
    const piece = stopPiece(whole);
    const stopAt = async (stop: string) => ({
      piece: stop,
      whole,
      reply: await target.chat({ ...members, stream: true, stop }),
    });
    const [again, stopped] = await Promise.all([
      isTextOf(body, whole) ? undefined : target.chat(members),
      piece === undefined ? undefined : stopAt(piece),
    ]);
    return { body, stream, again, stopped };
  },
  judge: {
    'stream.status': ({ stream }) => expectStatus(stream, 200),
    'stream.incremental': ({ stream }) => {
      needStream(stream);
      need(answerText(stream).length > 1, 'the stream held no more than one character');
      const pieces = chunksOf(stream).filter((chunk) => deltaText(chunk) !== '').length;
      return expectThat(stream, 'chunks with content', pieces > 1, 'at least 2', pieces);
    },
    'stream.same.text': ({ body, stream, again }) => {
      needStream(stream);
      needReadable(stream);
      need(again === undefined || answerText(again) === answerText(body), notRepeated);
      return expectSameText(stream, answerText(stream), body);
    },
    'stream.max-tokens.text': ({ body, stream, again }) => {
      needStream(stream);
      needCut(body);
      const text = answerText(stream).trimEnd();
      const whole = answerText(body);
      const isRelated = text.startsWith(whole) || whole.startsWith(text);
      const isRepeated = again !== undefined && answerText(again) === whole;
      need(isRelated, isRepeated ? 'the stream gives another text than the same request in one body' : notRepeated);
      return expectThat(
        stream,
        'streamed content',
        text.length <= whole.length,
        `no more than ${JSON.stringify(whole)}`,
        text,
      );
    },
    'stream.max-tokens.finish-reason': ({ body, stream }) => {
      needStream(stream);
      needCut(body);
      const reason = finishReason(stream);
      return expectThat(stream, 'finish_reason', reason === 'length', '"length"', reason);
    },
    'stream.stop.honoured': (seen) => {
      needStream(seen.stream);
      const stopped = needStopped(seen);
      expectStopped(stopped);
      return expectStopReason(stopped);
    },
    'stream.stop.excluded': (seen) => {
      needStream(seen.stream);
      return expectStopExcluded(needStopped(seen));
    },
  },
});

const notRepeated = 'the target does not repeat its answer at temperature 0';

/** The text of a stream; empty where the answer is none. */
function streamedText(reply: Reply): string {
  return reply.isStream && reply.status === 200 && !reply.failure ? answerText(reply) : '';
}

/** A stream need not count its tokens: the same request in one body tells whether max_tokens cuts the answer off. */
function needCut(body: Reply): undefined {
  need(
    finishReason(body) === 'length' && completionTokens(body) === askedFor(body).max_tokens,
    'the same request in one body was not cut off at max_tokens with the finish_reason length',
  );
}

const refusal = (status: number) => (reply: Reply, context: Context) => {
  needAnsweredChat(context);
  expectStatus(reply, status);
  return expectThat(reply, 'body', !reply.isStream, 'an error, and no event', reply.text);
};

const malformedStream = defineProbe({
  name: 'a malformed request for a stream',
  cost: { requests: 1, tokens: 60 },
  act: (target) => target.chat({ stream: true, temperature: 'warm' }),
  judge: { 'stream.refused.status': refusal(400) },
});

const unauthorizedStream = defineProbe({
  name: 'a request for a stream with an unknown key',
  cost: { requests: 1, tokens: 60 },
  act: (target) => target.chat({ stream: true }, { credential: 'unknown' }),
  judge: { 'stream.refused.unauthorized': refusal(401) },
});

export const streamingProbes = [longStream, malformedStream, unauthorizedStream];
