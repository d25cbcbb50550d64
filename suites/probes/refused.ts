import type { RequirementId } from '../../specs/requirements/index.ts';
import { expectEach, expectStatus, expectThat, need } from '../expect.ts';
import { member } from '../member.ts';
import { type BoundProbe, type ChatMembers, type Context, defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { expectIdentifier } from './error-identifiers.ts';
import { needAnsweredChat } from './prerequisites.ts';

/** Chats that are wrong in one parameter each, as changes to a plain chat that the target answers. */
const refusals: readonly (readonly [id: RequirementId, parameter: string, members: ChatMembers])[] = [
  ['chat.model.required', 'model', { model: undefined }],
  ['chat.model.type', 'model', { model: 29 }],
  ['chat.messages.required', 'messages', { messages: undefined }],
  ['chat.messages.type', 'messages', { messages: 'Hello' }],
  ['chat.messages.empty', 'messages', { messages: [] }],
  ['chat.messages.unknown-role', 'messages', { messages: [{ role: 'stranger', content: 'Hello' }] }],
  ['chat.messages.content-type', 'messages', { messages: [{ role: 'user', content: 29 }] }],
  ['chat.temperature.below', 'temperature', { temperature: -0.1 }],
  ['chat.temperature.above', 'temperature', { temperature: 2.1 }],
  ['chat.temperature.type', 'temperature', { temperature: 'warm' }],
  ['chat.max-tokens.type', 'max_tokens', { max_tokens: 'many' }],
  ['chat.max-tokens.fraction', 'max_tokens', { max_tokens: 1.5 }],
  ['chat.max-tokens.not-positive', 'max_tokens', { max_tokens: -1 }],
  ['chat.top-p.above', 'top_p', { top_p: 1.1 }],
  ['chat.top-p.type', 'top_p', { top_p: 'most' }],
  ['chat.frequency-penalty.below', 'frequency_penalty', { frequency_penalty: -2.1 }],
  ['chat.frequency-penalty.above', 'frequency_penalty', { frequency_penalty: 2.1 }],
  ['chat.frequency-penalty.type', 'frequency_penalty', { frequency_penalty: 'some' }],
  ['chat.presence-penalty.below', 'presence_penalty', { presence_penalty: -2.1 }],
  ['chat.presence-penalty.above', 'presence_penalty', { presence_penalty: 2.1 }],
  ['chat.presence-penalty.type', 'presence_penalty', { presence_penalty: 'some' }],
  ['chat.stream.type', 'stream', { stream: 'often' }],
  ['chat.stop.type', 'stop', { stop: 29 }],
  ['chat.tools.type', 'tools', { tools: 'all' }],
  ['chat.tool-choice.type', 'tool_choice', { tool_choice: 29 }],
  ['chat.user.type', 'user', { user: 29 }],
];

interface Refused {
  readonly parameter: string;
  readonly reply: Reply;
}

/** `messages[0].role` and `messages.0.role` name `messages`, too. */
function names(param: unknown, parameter: string): boolean {
  return (
    typeof param === 'string' &&
    (param === parameter || /^[.[]/.test(param.slice(parameter.length))) &&
    param.startsWith(parameter)
  );
}

const badParameters = defineProbe<ReadonlyMap<RequirementId, Refused>>({
  name: 'chats with one bad parameter each',
  cost: { requests: refusals.length, tokens: refusals.length * 60 },
  async act(target) {
    const replies = refusals.map(
      async ([id, parameter, members]) => [id, { parameter, reply: await target.chat(members) }] as const,
    );
    return new Map(await Promise.all(replies));
  },
  judge: {
    ...Object.fromEntries(refusals.map(([id]) => [id, judgeRefusal(id)])),
    'errors.param.named': (seen, context) => {
      needAnsweredChat(context);
      const refused = [...seen.values()].filter(({ reply }) => reply.status === 400 && reply.json !== undefined);
      need(refused.length > 0, 'no bad parameter was refused with 400 and a JSON body');
      return expectEach(refused, ({ parameter, reply }) => {
        const param = member(reply.json, 'error', 'param');
        return expectThat(reply, 'error.param', names(param, parameter), parameter, param);
      });
    },
  },
});

function judgeRefusal(id: RequirementId) {
  return (seen: ReadonlyMap<RequirementId, Refused>, context: Context) => {
    needAnsweredChat(context);
    const refused = seen.get(id);
    need(refused !== undefined, 'the request was not sent');
    return expectStatus(refused.reply, 400);
  };
}

function refusedBody(name: string, id: RequirementId, body: string): BoundProbe {
  return defineProbe<Reply>({
    name,
    cost: { requests: 1, tokens: 60 },
    act: (target) => target.send('POST', '/chat/completions', body),
    judge: {
      [id]: (reply: Reply, context: Context) => {
        needAnsweredChat(context);
        return expectStatus(reply, 400);
      },
    },
  });
}

const unknownModel = defineProbe({
  name: 'a chat with a model that does not exist',
  cost: { requests: 1, tokens: 60 },
  act: (target) => target.chat({ model: 'stack29-conformance/no-such-model' }),
  judge: {
    'errors.model-not-found.status': (reply, context) => {
      needAnsweredChat(context);
      return expectStatus(reply, 404);
    },
    'errors.model-not-found.identifier': (reply) => expectIdentifier(reply, 404, 'model_not_found'),
  },
});

/** More tokens than this are asked for in one prompt only where the run's own bound allows it. */
const longestPrompt = 20_000;

const longPrompt = defineProbe({
  name: 'a chat longer than the context window',
  cost: { requests: 1, tokens: longestPrompt },
  async act(target) {
    const { model, models } = target.baseline;
    const window = models.find(({ id }) => id === model)?.contextWindow;
    need(window !== undefined, 'the list of models does not say how long the context window is');
    const words = window + 64;
    need(
      words <= (target.options.maxTokens ?? longestPrompt),
      `takes a prompt of over ${window} tokens: allow it with --max-tokens, or choose a smaller model with --model`,
    );
    // Every tokenizer in use keeps separate words apart, so that many words are at least as many tokens.
    return target.chat({ messages: [{ role: 'user', content: 'a '.repeat(words) }], max_tokens: 1 });
  },
  judge: {
    'errors.context-length.status': (reply, context) => {
      needAnsweredChat(context);
      return expectStatus(reply, 400);
    },
    'errors.context-length.identifier': (reply) => expectIdentifier(reply, 400, 'context_length_exceeded'),
  },
});

export const refusedProbes = [
  badParameters,
  refusedBody('a body that is not JSON', 'errors.malformed-json.status', '{"model": '),
  refusedBody('a body that is JSON but not an object', 'errors.malformed-body.status', '[]'),
  unknownModel,
  longPrompt,
];
