import process from 'node:process';
import type { ChatCompletionMessage } from 'openai/resources';
import { toolMessages, writeFile } from './write-file.ts';

// A program of its own: does with the openai package what the document's JavaScript examples do, one line a case.

const {
  STACK29_BASE = '',
  STACK29_MODEL: model = '',
  OPENAI_API_KEY: apiKey = '',
  STACK29_WRONG_KEY = '',
  STACK29_EXHAUSTED_KEY = '',
  STACK29_CASES = '',
} = process.env;
const cases = STACK29_CASES.split(',');
const user = 'stack29-conformance openai-js';
const messages = [
  { role: 'system', content: 'You help programmers.' },
  { role: 'user', content: 'Write a JavaScript class for a queue.' },
] as const;

const { default: OpenAI, APIError } = await import('openai');

const open = (name: string, key = apiKey) =>
  new OpenAI({ apiKey: key, baseURL: `${STACK29_BASE}/${name}/v1`, maxRetries: 0 });

async function tell(name: string, act: () => Promise<object>): Promise<void> {
  if (!cases.includes(name)) return;
  const facts = await act().catch((error: unknown) => ({ error: factsOf(error) }));
  process.stdout.write(`${JSON.stringify({ case: name, ...facts })}\n`);
}

function factsOf(error: unknown): object {
  const name = error instanceof Error ? error.constructor.name : typeof error;
  const message = error instanceof Error ? error.message : String(error);
  return { class: name, message, ...(error instanceof APIError && { status: error.status }) };
}

await tell('chat', async () => {
  const request = { model, messages: [...messages], temperature: 0.7, max_tokens: 16, user };
  const completion = await open('chat').chat.completions.create(request);
  return { content: completion.choices[0]?.message.content };
});

await tell('stream', async () => {
  const request = { model, messages: [...messages], max_tokens: 16, user };
  const stream = await open('stream').chat.completions.create({ ...request, stream: true });
  let content = '';
  let ending: unknown = null;
  for await (const chunk of stream) {
    content += chunk.choices[0]?.delta.content || '';
    ending = chunk.choices[0]?.finish_reason ?? ending;
  }
  return { content, ending };
});

const forced = {
  model,
  messages: [...toolMessages],
  tools: [writeFile],
  tool_choice: { type: 'function' as const, function: { name: writeFile.function.name } },
  // A model may think before it calls.
  max_tokens: 512,
  user,
};
const callsOf = ({ tool_calls = [] }: ChatCompletionMessage) => ({
  calls: tool_calls.map((call) => (call.type === 'function' ? call.function : {})),
});

await tell('tools', async () => {
  const { choices } = await open('tools').chat.completions.create(forced);
  return choices[0] ? callsOf(choices[0].message) : { calls: [] };
});

await tell('tools-stream', async () =>
  callsOf(await open('tools-stream').chat.completions.stream(forced).finalMessage()),
);

const refused = { messages: [...messages], max_tokens: 16, user };
await tell('wrong-key', () => open('wrong-key', STACK29_WRONG_KEY).chat.completions.create({ ...refused, model }));
await tell('unknown-model', () =>
  open('unknown-model').chat.completions.create({ ...refused, model: 'stack29-conformance/no-such-model' }),
);
await tell('bad-parameter', () => open('bad-parameter').chat.completions.create({ ...refused, model, temperature: 9 }));
await tell('rate-limit', () =>
  open('rate-limit', STACK29_EXHAUSTED_KEY).chat.completions.create({ ...refused, model }),
);
