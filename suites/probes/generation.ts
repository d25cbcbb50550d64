import { expectThat, need } from '../expect.ts';
import { member } from '../member.ts';
import { defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { answerText, askForText, completionTokens, finishReason, someTokens, sure } from './answer.ts';
import { expectStopExcluded, expectStopped, expectStopReason, needStopPiece, type Stopped } from './stop.ts';

const fewTokens = 4;

interface CutOff {
  readonly short: Reply;
  readonly long: Reply;
}

const cutOff = defineProbe<CutOff>({
  name: 'a long answer with a small max_tokens and with a larger one',
  cost: { requests: 2, tokens: 250 },
  async act(target) {
    const [short, long] = await Promise.all([
      target.chat({ ...sure, max_tokens: fewTokens }),
      target.chat({ ...sure, max_tokens: someTokens }),
    ]);
    return { short, long };
  },
  judge: {
    'chat.max-tokens.text': ({ short, long }) => {
      need(completionTokens(long) > fewTokens, 'the model ends the answer before max_tokens can cut it off');
      const text = answerText(short);
      // A model that thinks before it speaks has no text yet, and was cut off in its thoughts.
      const cut = text === '' || !text.startsWith(answerText(long));
      return expectThat(short, 'content', cut, `less than the answer with max_tokens ${someTokens}`, text);
    },
    'chat.max-tokens.finish-reason': ({ short }) => {
      need(completionTokens(short) >= fewTokens, 'the model ended the answer before max_tokens could cut it off');
      const reason = finishReason(short);
      return expectThat(short, 'finish_reason', reason === 'length', '"length"', reason);
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

interface Stops {
  readonly alone: Stopped;
  readonly amidOthers: Stopped;
}

const stop = defineProbe<Stops>({
  name: 'an answer cut at a stop sequence, alone and amid others',
  cost: { requests: 4, tokens: 2_000 },
  async act(target) {
    const { members, reply } = await askForText(target);
    const whole = answerText(reply);
    const piece = needStopPiece(whole);
    const stopAt = async (stop: unknown) => ({ piece, whole, reply: await target.chat({ ...members, stop }) });
    // A server that reads one end of the list alone does not find the piece in its middle.
    const amid = ['\u0001not this\u0001', piece, '\u0001nor this\u0001'];
    const [alone, amidOthers] = await Promise.all([stopAt(piece), stopAt(amid)]);
    return { alone, amidOthers };
  },
  judge: {
    'chat.stop.string': ({ alone }) => expectStopped(alone),
    'chat.stop.finish-reason': ({ alone }) => expectStopReason(alone),
    'chat.stop.excluded': ({ alone }) => expectStopExcluded(alone),
    'chat.stop.array': ({ amidOthers }) => expectStopped(amidOthers),
  },
});

export const generationProbes = [cutOff, defaultCap, stop];
