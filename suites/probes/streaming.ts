import { chunksOf, deltaText, finishReasons } from '../chunks.ts';
import { expectArrived, expectStatus, expectThat, need } from '../expect.ts';
import { defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { finishReason } from './generation.ts';
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

interface CutStream {
  /** The same request, answered in one body. */
  readonly body: Reply;
  readonly stream: Reply;
}

const cutStream = defineProbe<CutStream>({
  name: 'a long answer with a small max_tokens, in one body and streamed',
  cost: { requests: 2, tokens: 200 },
  async act(target) {
    const members = { messages: longAnswer, temperature: 0, max_tokens: 16 };
    const [body, stream] = await Promise.all([target.chat(members), target.chat({ ...members, stream: true })]);
    return { body, stream };
  },
  judge: {
    'stream.status': ({ body, stream }) => {
      need(body.status === 200, `the same request in one body was answered with ${body.status}`);
      return expectStatus(stream, 200);
    },
    'stream.incremental': ({ stream }) => {
      need(streamedText(stream).length > 1, 'the stream held no text');
      const pieces = chunksOf(stream).filter((chunk) => deltaText(chunk) !== '').length;
      return expectThat(stream, 'chunks with content', pieces > 1, 'at least 2', pieces);
    },
    'stream.max-tokens.finish-reason': ({ body, stream }) => {
      streamedText(stream);
      // A stream need not count its tokens; the same request in one body tells whether max_tokens cuts the answer off.
      need(finishReason(body) === 'length', 'the same request in one body was not cut off with finish_reason length');
      const reason = finishReasons(stream).at(-1);
      need(reason !== undefined, 'no chunk has a finish_reason');
      return expectThat(stream, 'finish_reason', reason === 'length', '"length"', reason);
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

export const streamingProbes = [cutStream, stopStream, refusedStream];
