import { expectEqual, expectSchema, expectThat, need } from '../expect.ts';
import { isObject, member } from '../member.ts';
import type { Reply } from '../reply.ts';
import { arrived, askedFor, type ExchangeRule, type ExchangeRules } from './rule.ts';

export function isChat(reply: Reply): boolean {
  return reply.exchange.request.method === 'POST' && reply.exchange.request.path === '/chat/completions';
}

/** An answered chat, as one body. */
export function isCompletion(reply: Reply): boolean {
  return isChat(reply) && arrived(reply) && reply.status === 200 && !reply.isStream && isObject(reply.json);
}

const part = (pointer: string): ExchangeRule => ({
  applies: isCompletion,
  judge: (reply) => expectSchema(reply, 'chat-completion', reply.json, pointer),
});

const rule = (judge: ExchangeRule['judge']): ExchangeRule => ({ applies: isCompletion, judge });

export const completionRules: ExchangeRules = {
  'chat.response.id': part('/id'),
  'chat.response.object': part('/object'),
  'chat.response.created': part('/created'),
  'chat.response.model': part('/model'),
  'chat.response.model-requested': rule((reply, { baseline: { model } }) => {
    // What a request without a model, or with an unknown one, is answered with is a matter of other requirements.
    if (askedFor(reply).model !== model) return;
    return expectEqual(reply, '/model', member(reply.json, 'model'), model);
  }),
  'chat.response.choices': rule((reply) => {
    const choices = member(reply.json, 'choices');
    const holds = Array.isArray(choices) && choices.length === 1 && member(choices[0], 'index') === 0;
    return expectThat(reply, '/choices', holds, 'one choice, with index 0', choices);
  }),
  'chat.response.message.role': part('/choices/*/message/role'),
  'chat.response.message.content': rule((reply) => {
    const message = member(reply.json, 'choices', 0, 'message');
    const content = member(message, 'content');
    const calls = member(message, 'tool_calls');
    const hasCalls = Array.isArray(calls) && calls.length > 0;
    const holds = typeof content === 'string' || ((content ?? null) === null && hasCalls);
    return expectThat(reply, '/choices/0/message/content', holds, 'a string, or null beside tool calls', content);
  }),
  'chat.response.finish-reason': part('/choices/*/finish_reason'),
  'chat.response.usage': rule((reply) => {
    expectSchema(reply, 'chat-completion', reply.json, '/usage');
    const content = member(reply.json, 'choices', 0, 'message', 'content');
    const tokens = member(reply.json, 'usage', 'completion_tokens');
    const counted = typeof content !== 'string' || content === '' || tokens !== 0;
    return expectThat(reply, '/usage/completion_tokens', counted, 'at least 1 beside text', tokens);
  }),
  'chat.max-tokens.cap': {
    applies: (reply) => isCompletion(reply) && Number(askedFor(reply).max_tokens) >= 1,
    judge: (reply) => {
      const tokens = member(reply.json, 'usage', 'completion_tokens');
      const most = Number(askedFor(reply).max_tokens);
      need(typeof tokens === 'number', 'the response does not count its completion tokens');
      return expectThat(reply, '/usage/completion_tokens', tokens <= most, `at most ${most}`, tokens);
    },
  },
  'chat.response.usage-sum': {
    applies: (reply) => isCompletion(reply) && counts(reply).every(Number.isInteger),
    judge: (reply) => {
      const [prompt, completion, total] = counts(reply);
      return expectEqual(reply, '/usage/total_tokens', total, Number(prompt) + Number(completion));
    },
  },
  'chat.response.usage-prompt': {
    applies: (reply) => isCompletion(reply) && Number(counts(reply)[0]) > 0,
    judge: (reply) => {
      const [tokens] = counts(reply);
      const words = wordsIn(askedFor(reply).messages);
      return expectThat(reply, '/usage/prompt_tokens', Number(tokens) >= words, `at least ${words}, the words`, tokens);
    },
  },
  'chat.response.system-fingerprint': part('/system_fingerprint'),
};

function counts(reply: Reply): readonly unknown[] {
  return ['prompt_tokens', 'completion_tokens', 'total_tokens'].map((name) => member(reply.json, 'usage', name));
}

/** The words of messages that are plain text: what a target makes of parts that it does not know is its own affair. */
function wordsIn(messages: unknown): number {
  const contents = Array.isArray(messages) ? messages.map((message) => member(message, 'content')) : [];
  return contents
    .filter((text) => typeof text === 'string')
    .reduce((sum, text) => sum + text.split(/\s+/).filter(Boolean).length, 0);
}
