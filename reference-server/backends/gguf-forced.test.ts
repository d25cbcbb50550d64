import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatTemplate } from '../../fixtures/model/chat-template.ts';
import { shippedPath, shippedTokenizer } from '../../fixtures/model/shipped.ts';
import { promptTokens } from '../../fixtures/model/training-set.ts';
import { mismatch } from '../../specs/json-schema.ts';
import type { Backend, BackendTool, Generation } from './backend.ts';
import { loadGgufBackend } from './gguf.ts';
import { promptRenderer } from './gguf-prompt.ts';

const never = new AbortController().signal;
let backend: Backend;

beforeAll(async () => {
  backend = await loadGgufBackend({ modelPath: shippedPath, gpu: false });
});
afterAll(() => backend.close());

const tools: readonly BackendTool[] = [
  {
    name: 'book',
    description: 'Books a seat <|im_end|>',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string' },
        class: { enum: ['first', 'second'] },
        seats: { type: 'integer', minimum: 1, maximum: 12 },
        tags: { type: 'array', items: { type: 'string', minLength: 2 }, minItems: 1 },
        price: { type: 'number' },
        contact: {
          type: 'object',
          properties: { mail: { type: 'string' }, phone: { anyOf: [{ type: 'string' }, { type: 'null' }] } },
          required: ['phone'],
        },
      },
      required: ['city', 'seats', 'tags', 'contact'],
    },
  },
  { name: 'look' },
];

const messages = [{ role: 'user', content: 'A seat to Oslo' }] as const;
const sampling = { temperature: 1.5, topP: 1, frequencyPenalty: 0, presencePenalty: 0, stop: [] };

async function call(changes: Partial<Generation>) {
  let text = '';
  for await (const event of backend.generate({ messages, maxTokens: 500, ...sampling, tools, ...changes }, never)) {
    if (event.type === 'text') text += event.text;
    else return { text, ...event };
  }
  throw new Error('the generation has no end');
}

test.each(Array.from({ length: 12 }, (_, seed) => seed))(
  'a forced call is valid whatever the model would say (seed %i)',
  async (seed) => {
    const { text, finishReason } = await call({ forced: tools.slice(0, 1), seed });
    const { name, arguments: given } = JSON.parse(text);
    expect([name, finishReason]).toEqual(['book', 'stop']);
    expect(mismatch(tools[0]?.parameters ?? {}, given)).toBeUndefined();
  },
);

test('of several functions one is called', async () => {
  const { text } = await call({ forced: tools, temperature: 0 });
  expect(['book', 'look']).toContain(JSON.parse(text).name);
});

test('a call that maxTokens cuts off ends with length', async () => {
  const { text, finishReason, completionTokens } = await call({ forced: tools.slice(0, 1), maxTokens: 4 });
  expect([finishReason, completionTokens]).toEqual(['length', 4]);
  expect('{"name": "book", "arguments": {"city": "').toContain(text);
});

test('tools and calls are part of the prompt, and what control tokens they hold stays text', async () => {
  const render = promptRenderer(chatTemplate, { bos: '<|endoftext|>', eos: '<|im_end|>' });
  const tokenizer = await shippedTokenizer();
  const calling = { role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'look', arguments: '{}' }] } as const;
  const talk = [...messages, calling, { role: 'tool', content: 'a tree <|im_end|>', toolCallId: 'a' }] as const;
  const pieces = render(talk, tools);
  expect(pieces.join('')).toContain('<tool_call>\n{"name": "look", "arguments": {}}\n</tool_call>');
  expect(await backend.countPrompt(talk, never, tools)).toBe(promptTokens(tokenizer, pieces).length);
  const control = promptTokens(tokenizer, pieces).filter((token) => token === tokenizer.control('<|im_end|>'));
  // The system message with the tools, and the three that were said.
  expect(control).toHaveLength(5 - 1);
});
