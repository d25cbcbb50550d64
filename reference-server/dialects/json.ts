import { randomUUID } from 'node:crypto';
import type { Behaviour } from '../behaviour.ts';
import { asked, changed, inBody, inChunk, inTurn, membersOf } from '../change.ts';
import { sendOutgoing } from '../outgoing.ts';
import type { Dialects } from './dialect.ts';

const spelling = ['models.list.entry.capabilities-spelling'] as const;

const capitalized = (model: unknown) => {
  const { capabilities, ...members } = membersOf(model);
  return { ...members, Capabilities: capabilities };
};

/** The same JSON in another text. */
const writtenAs = (write: (text: string) => string): Behaviour => ({
  send(response, outgoing) {
    if (typeof outgoing.body !== 'string') return sendOutgoing(response, outgoing);
    const body = write(outgoing.body);
    const headers = { ...outgoing.headers, 'Content-Length': String(Buffer.byteLength(body)) };
    return sendOutgoing(response, { ...outgoing, headers, body });
  },
});

const escaped = (text: string) => text.replace(/[a-z]/gi, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);

const more = { extra: { nested: [1, null, true] } };

export const jsonDialects = {
  'capabilities-capital': {
    description: 'Capabilities are spelled with a capital everywhere',
    behaviour: inTurn(inBody('models', '/data/0', capitalized), inBody('model', '', capitalized)),
    notes: spelling,
  },
  'capabilities-both-spellings': {
    description: 'the list has Capabilities and capabilities, as in the example',
    behaviour: inBody('models', '/data', ([model]: readonly unknown[]) => [
      model,
      capitalized({ ...membersOf(model), id: 'stack29/second', root: 'stack29/second' }),
    ]),
    notes: spelling,
  },
  'single-model-in-full': {
    description: 'the single model has permission, root and parent, too',
    behaviour: inBody('model', '', (model: unknown) => ({
      ...membersOf(model),
      permission: [],
      root: membersOf(model).id,
      parent: null,
    })),
  },
  'parent-named': {
    description: 'the listed model has a parent and a permission',
    behaviour: inTurn(
      inBody('models', '/data/0/parent', 'stack29/base'),
      inBody('models', '/data/0/permission', [{ id: 'modelperm-1', allow_sampling: true }]),
    ),
  },
  'members-unknown': {
    description: 'every JSON body and chunk has members that the document does not know',
    behaviour: {
      answer: (answer) =>
        answer.body === undefined ? answer : { ...answer, body: { ...membersOf(answer.body), ...more } },
      ...inChunk('', (chunk: object) => ({ ...chunk, ...more })),
    },
  },
  'members-unknown-inside': {
    description: 'models, choices, messages and usage have members that the document does not know',
    behaviour: {
      ...inTurn(
        inBody('models', '/data/0/extra', more),
        inBody('completion', '/choices/0/logprobs', null),
        inBody('completion', '/choices/0/message/refusal', null),
        inBody('completion', '/usage/prompt_tokens_details', { cached_tokens: 0 }),
      ),
      ...inChunk('/choices/0/logprobs', null),
    },
  },
  'tool-called': {
    description: 'where a tool may be called it is called, without content',
    behaviour: {
      answer(answer, exchange) {
        const { tools, tool_choice: choice } = asked(exchange);
        if (answer.kind !== 'completion' || !Array.isArray(tools) || tools.length === 0) return answer;
        if (choice !== undefined && choice !== 'auto') return answer;
        const call = {
          id: `call_${randomUUID()}`,
          type: 'function',
          function: { name: 'get_weather', arguments: '{"city":"Oslo"}' },
        };
        const message = { role: 'assistant', content: null, tool_calls: [call] };
        const body = changed(answer.body, '/choices/0', { index: 0, message, finish_reason: 'tool_calls' });
        return { ...answer, body };
      },
    },
  },
  'tool-calls-empty': {
    description: 'messages without calls have an empty list of tool_calls',
    behaviour: inBody('completion', '/choices/0/message/tool_calls', (calls: unknown = []) => calls),
  },
  'json-indented': {
    description: 'JSON bodies are indented, with CRLF at the ends of lines',
    behaviour: writtenAs((text) => JSON.stringify(JSON.parse(text), null, 2).replaceAll('\n', '\r\n')),
  },
  'json-escaped': {
    description: 'letters in JSON texts are written as escapes',
    behaviour: writtenAs((text) => text.replace(/"[^"\\]*"/g, escaped)),
  },
  'json-with-newline': {
    description: 'a newline ends every JSON body',
    behaviour: writtenAs((text) => `${text}\n`),
  },
} as const satisfies Dialects;
