import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Backend, BackendMessage, Generation } from './backend.ts';
import { loadGgufBackend } from './gguf.ts';

const modelPath = fileURLToPath(new URL('../../fixtures/model/stack29-tiny.gguf', import.meta.url));
const wanted = new AbortController().signal;
/** Tokens of a prompt that are read at a time; what is remembered for a reproducible answer is a multiple of it. */
const piece = 32;

let backend: Backend;
beforeAll(async () => {
  backend = await loadGgufBackend({ modelPath, gpu: false });
});
afterAll(() => backend.close());

const chance = { temperature: 0.7 } as const;
const certain = { temperature: 0 } as const;

async function answer(messages: readonly BackendMessage[], changes: Partial<Generation>, from = backend) {
  const sampling = { temperature: 0.7, topP: 1, frequencyPenalty: 0, presencePenalty: 0 };
  let text = '';
  for await (const event of from.generate({ messages, maxTokens: 40, stop: [], ...sampling, ...changes }, wanted)) {
    if (event.type === 'text') text += event.text;
    else return { text, read: Number(event.promptTokensRead), count: await from.countPrompt(messages, wanted) };
  }
  throw new Error('the generation has no end');
}

const user = (content: string): BackendMessage => ({ role: 'user', content });
const said = (content: string): BackendMessage => ({ role: 'assistant', content });

test('a prompt is read whole once, and but for its last token never again', async () => {
  const messages = [user(`A prompt that comes twice. ${'It is long. '.repeat(20)}`)];
  const first = await answer(messages, chance);
  expect(first.read).toBe(first.count);
  expect((await answer(messages, chance)).read).toBe(1);
});

test.each([
  ['by chance', chance],
  ['reproducibly', certain],
])('a follow-up reads what is new, whatever was asked meanwhile (%s)', async (name, sampling) => {
  // Longer than the greeting that all prompts share.
  const opening = user(`${name}: ${'tell me of the sea and of the wind. '.repeat(12)}`);
  const first = await answer([opening], sampling);
  for (let other = 0; other < 5; other += 1) await answer([user(`Something else ${other}`)], sampling);
  const followUp = await answer([opening, said(first.text), user('And then?')], sampling);
  expect(followUp.read).toBeLessThanOrEqual(followUp.count - first.count + piece);
  expect(followUp.read).toBeGreaterThan(0);
  // Whole pieces of what was read alone have the same bits in every run; what follows may not.
  if (sampling === certain) {
    const kept = followUp.count - followUp.read;
    expect(kept % piece).toBe(0);
    expect(kept).toBeLessThanOrEqual(first.count);
  }
});

test('two conversations that begin alike keep their memories apart', async () => {
  const system: BackendMessage = { role: 'system', content: 'You know the sea. '.repeat(10) };
  const talks = ['one', 'two'].map((name) => [system, user(`${name} ${'and a long story '.repeat(30)}`)]);
  for (let turn = 0; turn < 3; turn += 1) {
    for (const talk of talks) {
      const { text, read, count } = await answer(talk, chance);
      if (turn > 0) expect(read).toBeLessThan(count / 2);
      talk.push(said(text), user(`more ${turn}`));
    }
  }
});

test('what is remembered changes no reproducible text', async () => {
  const opening = user(`Once upon a time. ${'The sea was calm. '.repeat(30)}`);
  const { text } = await answer([opening], { seed: 5 });
  // By chance, so that what follows was computed in other batches.
  await Promise.all(['a', 'b', 'c'].map((name) => answer([opening, said(text), user(name)], chance)));
  const messages = [opening, said(text), user('And then the wind came up, and what did they do?')];
  const warm = await answer(messages, { seed: 6, maxTokens: 150 });
  expect(warm.read).toBeLessThan(warm.count);
  const fresh = await loadGgufBackend({ modelPath, gpu: false });
  const cold = await answer(messages, { seed: 6, maxTokens: 150 }, fresh);
  await fresh.close();
  expect(cold.read).toBe(cold.count);
  expect(warm.text).toBe(cold.text);
});

test('a long prompt has pieces of a stream between its own', async () => {
  let pieces = 0;
  const long = user('x'.repeat(3_000));
  const leave = new AbortController();
  const stream = (async () => {
    const generation = {
      messages: [user('Count from 1 to 2000 in words, one number a line. Do not stop early.')],
      maxTokens: 4_000,
      stop: [],
      topP: 1,
      ...chance,
    };
    const events = backend.generate({ ...generation, frequencyPenalty: 0, presencePenalty: 0 }, leave.signal);
    for await (const _ of events) pieces += 1;
  })();
  while (pieces < 10) await new Promise((resolve) => setTimeout(resolve, 1));
  const before = pieces;
  const { read } = await answer([long], { ...chance, maxTokens: 1 });
  const meanwhile = pieces - before;
  leave.abort();
  await stream;
  expect(read).toBeGreaterThan(3_000);
  expect(meanwhile).toBeGreaterThanOrEqual(Math.floor(read / piece) - 2);
});
