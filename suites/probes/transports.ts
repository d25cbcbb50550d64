import type { RequirementId } from '../../specs/requirements/index.ts';
import { chunksOf } from '../chunks.ts';
import { expectArrived, expectEqual, Inconclusive, jsonOf, NotApplicable, need } from '../expect.ts';
import { member } from '../member.ts';
import { type ChatMembers, defineProbe, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { contentOf, isFromTarget, type SocketMessage } from '../socket.ts';
import { answerText, askForText, expectSameText, finishReason, needReadable } from './answer.ts';
import { findPlace, placeCost, startText, talk } from './socket-place.ts';

/** One request, twice in one body and once in another way. */
interface SameRequest {
  readonly bodies: readonly [Reply, Reply];
  readonly other: Reply;
}

interface Told {
  readonly text: string;
  readonly finishReason: unknown;
  readonly usage: unknown;
}

interface Way {
  readonly name: string;
  readonly topic: 'stream' | 'websocket';
  readonly cost: { readonly requests: number; readonly tokens: number };
  ask(target: Target, members: ChatMembers): Promise<Reply>;
  /** @throws Inconclusive where the answer did not come to its end */
  read(reply: Reply): Told;
}

const overStream: Way = {
  name: 'in one body and streamed',
  topic: 'stream',
  cost: { requests: 6, tokens: 2_600 },
  ask: (target, members) => target.chat({ ...members, stream: true }),
  read(reply) {
    const text = answerText(reply);
    needReadable(reply);
    const usage = chunksOf(reply).findLast((chunk) => member(chunk, 'usage'))?.usage;
    return { text, finishReason: finishReason(reply), usage };
  },
};

const overSocket: Way = {
  name: 'in one body and over a socket',
  topic: 'websocket',
  cost: { requests: placeCost.requests + 7, tokens: placeCost.tokens + 2_600 },
  async ask(target, members) {
    const place = await findPlace(target);
    return talk(target, place, [{ send: startText(target, place, members) }, { await: ['done', 'error'] }]);
  },
  read(reply) {
    expectArrived(reply);
    const done = reply.messages.find((message) => isFromTarget(message, 'done'));
    need(done !== undefined, 'the generation over the socket did not come to its end');
    need(reply.messages.every(isReadable), 'not everything that the socket sent can be read');
    const text = reply.messages.map(contentOf).join('');
    return { text, finishReason: member(done.json, 'finish_reason'), usage: member(done.json, 'usage') };
  },
};

function sameOver({ name, topic, cost, ask, read }: Way) {
  const id = (what: 'text' | 'finish-reason' | 'usage'): RequirementId => `${topic}.same.${what}`;
  const beside = (look: (other: Reply, told: Told, body: Reply) => undefined) => (seen: SameRequest) => {
    const [body, again] = seen.bodies;
    need(answerText(body) === answerText(again), 'the target does not repeat its answer at temperature 0');
    return look(seen.other, read(seen.other), body);
  };
  return defineProbe<SameRequest>({
    name: `the same request ${name}`,
    cost,
    exclusive: topic === 'websocket',
    async act(target) {
      const { members, reply } = await askSeeded(target);
      const again = await target.chat(members);
      return { bodies: [reply, again], other: await ask(target, members) };
    },
    judge: {
      // The text of a stream is judged where it is cut at max_tokens.
      ...(topic === 'websocket' && {
        [id('text')]: beside((reply, { text }, body) => expectSameText(reply, text, body)),
      }),
      [id('finish-reason')]: beside((reply, told, body) =>
        expectEqual(reply, 'finish_reason', given('finish_reason', told.finishReason), finishReason(body)),
      ),
      [id('usage')]: beside((reply, { usage }, body) => {
        for (const count of ['prompt_tokens', 'completion_tokens']) {
          const counted = member(jsonOf(body), 'usage', count);
          need(typeof counted === 'number' && counted > 0, `the answer in one body does not count its ${count}`);
          expectEqual(reply, `usage.${count}`, given(`usage.${count}`, member(usage, count)), counted);
        }
      }),
    },
  });
}

/** The document has no seed, so that a target may refuse one; where it does not, a seed makes its answer surer. */
async function askSeeded(target: Target): ReturnType<typeof askForText> {
  try {
    return await askForText(target, { seed: 29 });
  } catch (error) {
    if (!(error instanceof Inconclusive)) throw error;
    return askForText(target);
  }
}

/** A message of the target that is about no text, or has one. */
function isReadable({ fromTarget, frame, type, json }: SocketMessage): boolean {
  if (!fromTarget || (frame.opcode !== 'text' && frame.opcode !== 'binary')) return true;
  return type !== undefined && (type !== 'content' || typeof member(json, 'content') === 'string');
}

function given(what: string, value: unknown): unknown {
  if (value === undefined || value === null) throw new NotApplicable(`the target gives no ${what} there`);
  return value;
}

export const transportProbes = [sameOver(overStream), sameOver(overSocket)];
