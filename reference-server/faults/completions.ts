import type { Behaviour } from '../behaviour.ts';
import { asked, changed, inBody, membersOf } from '../change.ts';
import type { Faults } from './fault.ts';

const inCompletion = (pointer: string, to: unknown): Behaviour => inBody('completion', pointer, to);

/** Only where the request names a user: the answers that show something else are left alone. */
const whereUserIsNamed = (pointer: string, to: unknown): Behaviour =>
  inBody('completion', pointer, to, (exchange) => asked(exchange).user !== undefined);

export const completionFaults = {
  'completion-created-status': {
    description: 'completions are answered with 201',
    trips: ['chat.response.status'],
    behaviour: { answer: (answer) => (answer.kind === 'completion' ? { ...answer, status: 201 } : answer) },
  },
  'completion-without-id': {
    description: 'completions have no id',
    trips: ['chat.response.id'],
    behaviour: inCompletion('/id', undefined),
  },
  'completion-id-empty': {
    description: 'the id of completions is empty',
    trips: ['chat.response.id', 'chat.response.id-unique'],
    behaviour: inCompletion('/id', ''),
  },
  'completion-id-number': {
    description: 'the id of some completions is a number',
    trips: ['chat.response.id'],
    behaviour: whereUserIsNamed('/id', 29),
  },
  'completion-id-constant': {
    description: 'all completions have the same id',
    trips: ['chat.response.id-unique'],
    behaviour: inCompletion('/id', 'chatcmpl-1234567890'),
  },
  'completion-object-chunk': {
    description: 'object of completions is that of chunks',
    trips: ['chat.response.object'],
    behaviour: inCompletion('/object', 'chat.completion.chunk'),
  },
  'completion-without-object': {
    description: 'some completions have no object',
    trips: ['chat.response.object'],
    behaviour: whereUserIsNamed('/object', undefined),
  },
  'completion-created-fraction': {
    description: 'created of completions has a fraction',
    trips: ['chat.response.created'],
    behaviour: inCompletion('/created', (seconds: number) => seconds + 0.5),
  },
  'completion-created-milliseconds': {
    description: 'created of completions is in milliseconds',
    trips: ['chat.response.created'],
    behaviour: inCompletion('/created', (seconds: number) => seconds * 1000),
  },
  'completion-without-model': {
    description: 'completions do not name their model',
    trips: ['chat.response.model', 'chat.response.model-requested'],
    behaviour: inCompletion('/model', undefined),
  },
  'completion-other-model': {
    description: 'completions name another model than was asked for',
    trips: ['chat.response.model-requested'],
    behaviour: inCompletion('/model', 'scripted'),
  },
  'completion-two-choices': {
    description: 'completions hold two choices',
    trips: ['chat.response.choices'],
    behaviour: inCompletion('/choices', ([choice]: readonly unknown[]) => [choice, { ...membersOf(choice), index: 1 }]),
  },
  'completion-index-one': {
    description: 'the one choice of completions has index 1',
    trips: ['chat.response.choices'],
    behaviour: inCompletion('/choices/0/index', 1),
  },
  'completion-without-index': {
    description: 'the choice of some completions has no index',
    trips: ['chat.response.choices'],
    behaviour: whereUserIsNamed('/choices/0/index', undefined),
  },
  'completion-role-model': {
    description: 'the message of completions has the role model',
    trips: ['chat.response.message.role'],
    behaviour: inCompletion('/choices/0/message/role', 'model'),
  },
  'completion-without-role': {
    description: 'the message of some completions has no role',
    trips: ['chat.response.message.role'],
    behaviour: whereUserIsNamed('/choices/0/message/role', undefined),
  },
  'completion-content-null': {
    description: 'the content of some completions is null without tool calls',
    trips: ['chat.response.message.content'],
    behaviour: whereUserIsNamed('/choices/0/message/content', null),
  },
  'completion-content-parts': {
    description: 'the content of some completions is a list of parts',
    trips: ['chat.response.message.content'],
    behaviour: whereUserIsNamed('/choices/0/message/content', (text: string) => [{ type: 'text', text }]),
  },
  'completion-finish-unknown': {
    description: 'finish_reason of some completions is "eos"',
    trips: ['chat.response.finish-reason'],
    behaviour: whereUserIsNamed('/choices/0/finish_reason', 'eos'),
  },
  'completion-finish-null': {
    description: 'finish_reason of some completions is null',
    trips: ['chat.response.finish-reason'],
    behaviour: whereUserIsNamed('/choices/0/finish_reason', null),
  },
  'completion-without-usage': {
    description: 'completions have no usage',
    trips: ['chat.response.usage'],
    behaviour: inCompletion('/usage', undefined),
  },
  'completion-prompt-uncounted': {
    description: 'prompt_tokens of completions is 0',
    trips: ['chat.response.usage'],
    behaviour: inCompletion('/usage', (usage: unknown) => {
      const tokens = membersOf(usage).completion_tokens;
      return { prompt_tokens: 0, completion_tokens: tokens, total_tokens: tokens };
    }),
  },
  'completion-usage-text': {
    description: 'some completions count their tokens in text',
    trips: ['chat.response.usage'],
    behaviour: whereUserIsNamed('/usage/completion_tokens', String),
  },
  'completion-without-total': {
    description: 'usage of completions has no total_tokens',
    trips: ['chat.response.usage'],
    behaviour: inCompletion('/usage/total_tokens', undefined),
  },
  'completion-total-off-by-one': {
    description: 'total_tokens is one more than the sum',
    trips: ['chat.response.usage-sum'],
    behaviour: inCompletion('/usage/total_tokens', (tokens: number) => tokens + 1),
  },
  'completion-total-of-completion': {
    description: 'total_tokens of some completions leaves the prompt out',
    trips: ['chat.response.usage-sum'],
    behaviour: whereUserIsNamed('/usage', (usage: unknown) =>
      changed(usage, '/total_tokens', membersOf(usage).completion_tokens),
    ),
  },
  'completion-prompt-fixed': {
    description: 'usage counts 10 tokens of every prompt',
    trips: ['chat.response.usage-prompt', 'websocket.same.usage'],
    behaviour: inCompletion('/usage', (usage: unknown) => {
      const { completion_tokens } = membersOf(usage);
      return { prompt_tokens: 10, completion_tokens, total_tokens: 10 + Number(completion_tokens) };
    }),
  },
  'completion-tokens-zero': {
    description: 'usage of some completions counts no completion tokens',
    trips: ['chat.response.usage'],
    behaviour: whereUserIsNamed('/usage', (usage: unknown) => {
      const { prompt_tokens } = membersOf(usage);
      return { prompt_tokens, completion_tokens: 0, total_tokens: prompt_tokens };
    }),
  },
  'completion-without-fingerprint': {
    description: 'completions have no system_fingerprint',
    trips: ['chat.response.system-fingerprint'],
    behaviour: inCompletion('/system_fingerprint', undefined),
  },
  'completion-fingerprint-null': {
    description: 'system_fingerprint of some completions is null',
    trips: ['chat.response.system-fingerprint'],
    behaviour: whereUserIsNamed('/system_fingerprint', null),
  },
  'calls-tools-though-forbidden': {
    description: 'a tool is called in spite of tool_choice "none"',
    trips: ['chat.tool-choice.none'],
    behaviour: inBody(
      'completion',
      '/choices/0/message/tool_calls',
      [{ id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } }],
      (exchange) => asked(exchange).tool_choice === 'none',
    ),
  },
  'finish-stop-though-cut': {
    description: 'an answer that max_tokens cut off has the finish_reason stop',
    trips: ['chat.max-tokens.finish-reason', 'stream.same.finish-reason', 'websocket.same.finish-reason'],
    behaviour: inBody('completion', '/choices/0/finish_reason', (reason: string) =>
      reason === 'length' ? 'stop' : reason,
    ),
  },
} as const satisfies Faults;
