import type { Exchange } from '../../specs/evidence.ts';
import type { RequirementId } from '../../specs/requirements/index.ts';
import { expectStatus, need } from '../expect.ts';
import { type BoundProbe, type ChatMembers, type Context, defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { expectIdentifier } from './error-identifiers.ts';
import { needAnsweredChat } from './prerequisites.ts';
import { ask, weatherTool } from './prompts.ts';

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

const refusal = (reply: Reply, context: Context) => {
  needAnsweredChat(context);
  return expectStatus(reply, 400);
};

const badParameters = refusals.map(([id, , members]) =>
  defineProbe<Reply>({
    name: `a chat for ${id}`,
    cost: { requests: 1, tokens: 60 },
    act: (target) => target.chat(members),
    judge: { [id]: refusal },
  }),
);

interface Definitions {
  readonly sound: Reply;
  readonly text: Reply;
  readonly noSchema: Reply;
}

/** Only a target that takes a definition refuses another for what is wrong with it. */
const definitionRefusal = ({ sound }: Definitions, reply: Reply, context: Context) => {
  const seen = sound.failure ? 'no whole response' : sound.status;
  need(
    sound.status === 200 && !sound.failure,
    `a sound definition of a tool was answered with ${seen}, so that the refusal of another proves nothing`,
  );
  return refusal(reply, context);
};

const definitions = defineProbe<Definitions>({
  name: 'chats with a definition of a tool: one that is sound, a text, and one without a JSON Schema',
  cost: { requests: 3, tokens: 180 },
  async act(target) {
    const parameters = { type: 'weather' };
    const [sound, text, noSchema] = await Promise.all([
      target.chat({ tools: [weatherTool] }),
      target.chat({ tools: [weatherTool.function.name] }),
      target.chat({ tools: [{ ...weatherTool, function: { ...weatherTool.function, parameters } }] }),
    ]);
    return { sound, text, noSchema };
  },
  judge: {
    'chat.tools.definition': ({ sound }, context) => {
      needAnsweredChat(context);
      return expectStatus(sound, 200);
    },
    'tools.definition.malformed': (seen, context) => definitionRefusal(seen, seen.text, context),
    'tools.definition.schema': (seen, context) => definitionRefusal(seen, seen.noSchema, context),
  },
});

const parameters: ReadonlyMap<string, string> = new Map(
  refusals.map(([id, parameter]) => [`a chat for ${id}`, parameter] as const),
);

/** The parameter that is wrong in a request of these probes, for the rule on how errors name it. */
export function badParameterOf({ probe, step }: Pick<Exchange, 'probe' | 'step'>): string | undefined {
  // The first of its chats is sound.
  if (probe === definitions.name) return step > 0 ? 'tools' : undefined;
  return parameters.get(probe);
}

function refusedBody(name: string, id: RequirementId, body: string): BoundProbe {
  return defineProbe<Reply>({
    name,
    cost: { requests: 1, tokens: 60 },
    act: (target) => target.send('POST', '/chat/completions', body),
    judge: { [id]: refusal },
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
    // Every tokenizer in use keeps separate words apart, so that many words are at least as many tokens.
    const content = 'a '.repeat(window + 64);
    // A token is at least a byte, and what is around the words takes less than a thousand.
    const most = content.length + 1000;
    need(
      most <= (target.options.maxTokens ?? longestPrompt),
      `takes a prompt of up to ${most} tokens: allow them and those of the other probes with --max-tokens, or choose a model with a smaller window with --model`,
    );
    return target.chat({ messages: ask(content), max_tokens: 1 });
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
  ...badParameters,
  definitions,
  refusedBody('a body that is not JSON', 'errors.malformed-json.status', '{"model": '),
  refusedBody('a body that is JSON but not an object', 'errors.malformed-body.status', '[]'),
  unknownModel,
  longPrompt,
];
