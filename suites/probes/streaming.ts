import { chunksOf, deltaText } from '../chunks.ts';
import { expectStatus, expectThat, need } from '../expect.ts';
import { type Context, defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { askedFor } from '../universal/rule.ts';
import { answerText, askForText, completionTokens, finishReason } from './answer.ts';
import { needAnsweredChat } from './prerequisites.ts';
import { expectStopExcluded, expectStopped, expectStopReason, needStopPiece, type Stopped } from './stop.ts';

interface CutStream {
  /** The same request, answered in one body. */
  readonly body: Reply;
  readonly stream: Reply;
}

/** @throws Inconclusive where the answer is no stream with text in it */
function needStream(reply: Reply): undefined {
  need(reply.status !== 200 || reply.isStream, 'the answer is not an event stream');
  need(answerText(reply) !== '', 'the stream held no text');
}

const cutStream = defineProbe<CutStream>({
  name: 'a long answer cut by max_tokens, in one body and streamed',
  cost: { requests: 3, tokens: 1_500 },
  async act(target) {
    const { members, reply } = await askForText(target);
    return { body: reply, stream: await target.chat({ ...members, stream: true }) };
  },
  judge: {
    'stream.status': ({ stream }) => expectStatus(stream, 200),
    'stream.incremental': ({ stream }) => {
      needStream(stream);
      need(answerText(stream).length > 1, 'the stream held no more than one character');
      const pieces = chunksOf(stream).filter((chunk) => deltaText(chunk) !== '').length;
      return expectThat(stream, 'chunks with content', pieces > 1, 'at least 2', pieces);
    },
    'stream.max-tokens.text': ({ body, stream }) => {
      needStream(stream);
      needCut(body);
      const text = answerText(stream).trimEnd();
      const whole = answerText(body);
      need(text.startsWith(whole) || whole.startsWith(text), 'the target does not repeat its answer at temperature 0');
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
  },
});

/** A stream need not count its tokens: the same request in one body tells whether max_tokens cuts the answer off. */
function needCut(body: Reply): undefined {
  need(
    finishReason(body) === 'length' && completionTokens(body) === askedFor(body).max_tokens,
    'the same request in one body was not cut off at max_tokens with the finish_reason length',
  );
}

const stopStream = defineProbe<Stopped>({
  name: 'a stream cut at a stop sequence',
  cost: { requests: 3, tokens: 2_000 },
  async act(target) {
    const { members, reply } = await askForText(target, { stream: true });
    needStream(reply);
    const whole = answerText(reply);
    const piece = needStopPiece(whole);
    return { piece, whole, reply: await target.chat({ ...members, stop: piece }) };
  },
  judge: {
    'stream.stop.honoured': (seen) => {
      expectStopped(seen);
      return expectStopReason(seen);
    },
    'stream.stop.excluded': expectStopExcluded,
  },
});

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

export const streamingProbes = [cutStream, stopStream, malformedStream, unauthorizedStream];
