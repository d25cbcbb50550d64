import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Backend } from './backends/backend.ts';
import { loadGgufBackend } from './backends/gguf.ts';
import { startRig } from './test-rig.ts';
import type { ToolRunner } from './tools/tool-runner.ts';

const modelPath = fileURLToPath(new URL('../fixtures/model/stack29-tiny.gguf', import.meta.url));
let backend: Backend;
beforeAll(async () => {
  backend = await loadGgufBackend({ modelPath, gpu: false });
});
afterAll(() => backend.close());

/** Tokens at the seam of an old prompt and what follows it may be others than before. */
const seam = 8;

/** A server with the model, and for each prompt how many tokens it had and how many of them were read. */
async function watchedRig(tools?: ToolRunner) {
  const prompts: { tokens: number; read: number }[] = [];
  const watched: Backend = {
    ...backend,
    async countPrompt(...of) {
      const tokens = await backend.countPrompt(...of);
      prompts.push({ tokens, read: Number.NaN });
      return tokens;
    },
    async *generate(...of) {
      for await (const event of backend.generate(...of)) {
        const prompt = prompts.at(-1);
        if (event.type === 'end' && prompt) prompt.read = Number(event.promptTokensRead);
        yield event;
      }
    },
  };
  const { chat } = await startRig({ backend: watched, tools });
  return { prompts, ask: (members: object) => chat({ model: backend.model.id, max_tokens: 100, ...members }) };
}

function expectOnlyNew([first, second]: readonly { tokens: number; read: number }[]): void {
  if (first === undefined || second === undefined) throw new Error('there were not two prompts');
  expect(first.read).toBeGreaterThan(0);
  expect(second.read).toBeGreaterThan(0);
  expect(second.read).toBeLessThanOrEqual(second.tokens - first.tokens + seam);
  expect(second.read).toBeLessThan(second.tokens / 2);
}

const user = (content: string) => ({ role: 'user', content });
const story = 'There was once a harbour by the sea, and in it lay a ship. '.repeat(12);
const tool = (name: string) => ({
  tools: [{ type: 'function', function: { name, parameters: { type: 'object', properties: {} } } }],
});
const choice = (name: string) => ({ tool_choice: { type: 'function', function: { name } } });

test('a follow-up reads only what is new', async () => {
  const { prompts, ask } = await watchedRig();
  const opening = [{ role: 'system', content: 'You tell stories.' }, user(story)];
  const { json } = await ask({ messages: opening });
  await ask({ messages: [...opening, json.choices[0].message, user('And then?')] });
  expectOnlyNew(prompts);
});

test('the result of a call that the client ran is read, and not the conversation again', async () => {
  const { prompts, ask } = await watchedRig();
  const opening = [user(`A result from the client. ${story}`)];
  const { json } = await ask({ messages: opening, ...tool('look'), ...choice('look') });
  const { message } = json.choices[0];
  const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'a ship' };
  const { status } = await ask({ messages: [...opening, message, result], ...tool('look') });
  expect(status).toBe(200);
  expectOnlyNew(prompts);
});

test('the result of a call that the server ran is read, and not the conversation again', async () => {
  const names = new Set(['execute_code']);
  const run: ToolRunner['run'] = async ({ id }) => {
    return { tool_call_id: id, output: '42', error: null, execution_time_ms: 1 };
  };
  const { prompts, ask } = await watchedRig({ names, run });
  const messages = [user(`A result from the server. ${story}`)];
  const { status } = await ask({ messages, ...tool('execute_code'), ...choice('execute_code') });
  expect(status).toBe(200);
  expectOnlyNew(prompts);
});
