import { expectThat, jsonOf, need } from '../expect.ts';
import { member } from '../member.ts';
import { defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { longAnswer } from './prompts.ts';
import { expectStopExcluded, expectStopped, expectStopReason, needStopPiece, type Stopped } from './stop.ts';

/** Completion tokens by the response's own count. */
function completionTokens(reply: Reply): number {
  const tokens = member(jsonOf(reply), 'usage', 'completion_tokens');
  need(typeof tokens === 'number' && Number.isInteger(tokens), 'the response does not count its completion tokens');
  return tokens;
}

/** Of an answer in one body. */
export function finishReason(reply: Reply): unknown {
  return member(jsonOf(reply), 'choices', 0, 'finish_reason');
}

function contentOf(reply: Reply): string {
  const content = member(jsonOf(reply), 'choices', 0, 'message', 'content');
  need(typeof content === 'string', 'the answer has no text');
  return content;
}

/** The likeliest answer, so that chance does not end it early. */
const sure = { messages: longAnswer, temperature: 0, max_tokens: 24 } as const;

const cap = 4;

const cutOff = defineProbe({
  name: 'a long answer with a small max_tokens',
  cost: { requests: 1, tokens: 100 },
  act: (target) => target.chat({ ...sure, max_tokens: cap }),
  judge: {
    'chat.max-tokens.cap': (reply) => {
      const tokens = completionTokens(reply);
      return expectThat(reply, 'usage.completion_tokens', tokens <= cap, `at most ${cap}`, tokens);
    },
    'chat.max-tokens.finish-reason': (reply) => {
      need(completionTokens(reply) >= cap, 'the model ended the answer before max_tokens could cut it off');
      const reason = finishReason(reply);
      return expectThat(reply, 'finish_reason', reason === 'length', '"length"', reason);
    },
  },
});

const documentedDefault = 1000;

const defaultCap = defineProbe({
  name: 'a long answer without max_tokens',
  cost: { requests: 1, tokens: 2_000 },
  act: (target) => target.chat({ ...sure, max_tokens: undefined }),
  judge: {
    'chat.max-tokens.default': (reply, { baseline }) => {
      const tokens = completionTokens(reply);
      const window = baseline.models.find(({ id }) => id === baseline.model)?.contextWindow ?? Number.POSITIVE_INFINITY;
      const wholeWindow = Number(member(reply.json, 'usage', 'total_tokens')) >= window;
      const cutTooEarly = finishReason(reply) === 'length' && tokens < documentedDefault && !wholeWindow;
      const holds = tokens <= documentedDefault && !cutTooEarly;
      const expected = `${documentedDefault}, or fewer where the model ends by itself`;
      return expectThat(reply, 'usage.completion_tokens', holds, expected, tokens);
    },
  },
});

async function stopAt(chat: (stop?: unknown) => Promise<Reply>, stopFor: (piece: string) => unknown): Promise<Stopped> {
  const whole = contentOf(await chat());
  const piece = needStopPiece(whole);
  const reply = await chat(stopFor(piece));
  return { piece, whole, reply, content: contentOf(reply), finishReason: finishReason(reply) };
}

const stopString = defineProbe<Stopped>({
  name: 'an answer cut at a stop sequence',
  cost: { requests: 2, tokens: 240 },
  act: (target) =>
    stopAt(
      (stop) => target.chat({ ...sure, stop }),
      (piece) => piece,
    ),
  judge: {
    'chat.stop.string': expectStopped,
    'chat.stop.finish-reason': expectStopReason,
    'chat.stop.excluded': expectStopExcluded,
  },
});

const stopArray = defineProbe<Stopped>({
  name: 'an answer cut at the second of two stop sequences',
  cost: { requests: 2, tokens: 240 },
  act: (target) =>
    stopAt(
      (stop) => target.chat({ ...sure, stop }),
      (piece) => ['\u0001never said\u0001', piece],
    ),
  judge: { 'chat.stop.array': expectStopped },
});

export const generationProbes = [cutOff, defaultCap, stopString, stopArray];
