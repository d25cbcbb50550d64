import { chunksOf, deltaText, finishReasons } from '../chunks.ts';
import { expectArrived, expectStatus, expectThat, need } from '../expect.ts';
import { defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { needAnsweredChat } from './prerequisites.ts';
import { longAnswer } from './prompts.ts';
import { expectStopExcluded, expectStopped, needStopPiece, type Stopped } from './stop.ts';

/** The text of a stream that can be read at all. */
function streamedText(reply: Reply): string {
  expectArrived(reply);
  need(reply.status === 200, `the stream was answered with ${reply.status}`);
  need(reply.isStream, 'the answer is not an event stream');
  return chunksOf(reply).map(deltaText).join('');
}

const plainStream = defineProbe({
  name: 'a long answer streamed, with a small max_tokens',
  cost: { requests: 1, tokens: 100 },
  act: (target) => target.chat({ messages: longAnswer, max_tokens: 16, stream: true }),
  judge: {
    'stream.status': (reply, context) => {
      needAnsweredChat(context);
      return expectStatus(reply, 200);
    },
    'stream.incremental': (reply) => {
      need(streamedText(reply).length > 1, 'the stream held no text');
      const pieces = chunksOf(reply).filter((chunk) => deltaText(chunk) !== '').length;
      return expectThat(reply, 'chunks with content', pieces > 1, 'at least 2', pieces);
    },
    'stream.max-tokens.finish-reason': (reply) => {
      streamedText(reply);
      const reason = finishReasons(reply).at(-1);
      need(reason !== undefined, 'no chunk has a finish_reason');
      // A stream need not count its tokens, so an answer that a model ended by itself cannot be told from this one;
      // no model ends a count to two thousand after sixteen tokens without being told to.
      return expectThat(reply, 'finish_reason', reason === 'length', '"length"', reason);
    },
  },
});

const stopStream = defineProbe<Stopped>({
  name: 'a stream cut at a stop sequence',
  cost: { requests: 2, tokens: 240 },
  async act(target) {
    const chat = (stop?: string) =>
      target.chat({ messages: longAnswer, temperature: 0, max_tokens: 24, stream: true, stop });
    const whole = streamedText(await chat());
    const piece = needStopPiece(whole);
    const reply = await chat(piece);
    return { piece, whole, reply, content: streamedText(reply), finishReason: finishReasons(reply).at(-1) };
  },
  judge: {
    'stream.stop.honoured': (seen) => {
      expectStopped(seen);
      return expectThat(seen.reply, 'finish_reason', seen.finishReason === 'stop', '"stop"', seen.finishReason);
    },
    'stream.stop.excluded': expectStopExcluded,
  },
});

const refusedStream = defineProbe({
  name: 'streams that must not begin',
  cost: { requests: 2, tokens: 120 },
  async act(target) {
    const [malformed, unauthorized] = await Promise.all([
      target.chat({ stream: true, temperature: 'warm' }),
      target.chat({ stream: true }, { credential: 'unknown' }),
    ]);
    return { malformed, unauthorized };
  },
  judge: {
    'stream.refused.status': ({ malformed }, context) => {
      needAnsweredChat(context);
      return expectStatus(malformed, 400);
    },
    'stream.refused.unauthorized': ({ unauthorized }, context) => {
      needAnsweredChat(context);
      return expectStatus(unauthorized, 401);
    },
  },
});

export const streamingProbes = [plainStream, stopStream, refusedStream];
