import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mismatch } from '../../specs/json-schema.ts';
import type { Backend, BackendTool, Generation } from './backend.ts';
import { loadGgufBackend } from './gguf.ts';

const never = new AbortController().signal;
let backend: Backend;

beforeAll(async () => {
  const modelPath = fileURLToPath(new URL('../../fixtures/model/stack29-tiny.gguf', import.meta.url));
  backend = await loadGgufBackend({ modelPath, gpu: false });
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
  const { text, finishReason, completionTokens } = await call({ forced: tools.slice(0, 1), maxTokens: 20 });
  expect([text, finishReason, completionTokens]).toEqual(['{"name": "book", "ar', 'length', 20]);
});

test('tools and calls are part of the prompt, and what control tokens they hold stays text', async () => {
  const plain = await backend.countPrompt(messages, never);
  expect(await backend.countPrompt(messages, never, tools)).toBeGreaterThan(plain + JSON.stringify(tools).length);
  const calling = { role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'look', arguments: '{}' }] } as const;
  const result = { role: 'tool', content: 'a tree', toolCallId: 'a' } as const;
  const answered = await backend.countPrompt([...messages, calling, result], never);
  const text = '<tool_call>\n{"name": "look", "arguments": {}}\n</tool_call>';
  expect(answered).toBe(plain + 'assistant\n\ntool\n\n'.length + 4 + text.length + 'a tree'.length);
});
