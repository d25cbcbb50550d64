import { expect, test } from 'vitest';
import type { Backend, Generation, GenerationEvent } from './backend.ts';
import { scriptedBackend } from './scripted.ts';

const plain: Generation = {
  messages: [{ role: 'user', content: 'Hello' }],
  maxTokens: 20,
  temperature: 0.7,
  topP: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  stop: [],
};

async function generate(backend: Backend, changes: Partial<Generation> = {}, signal = new AbortController().signal) {
  const events: GenerationEvent[] = [];
  for await (const event of backend.generate({ ...plain, ...changes }, signal)) events.push(event);
  const text = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
  return { events, text, end: events.at(-1) };
}

test('exactly maxTokens words come, one an event', async () => {
  const { events, text, end } = await generate(scriptedBackend());
  expect(text.split(' ')).toHaveLength(20);
  expect(events).toHaveLength(21);
  expect(end).toEqual({ type: 'end', finishReason: 'length', completionTokens: 20 });
});

test('equal seeds give equal texts, and so does temperature 0', async () => {
  const backend = scriptedBackend();
  const text = async (changes: Partial<Generation>) => (await generate(backend, changes)).text;
  expect(await text({ seed: 1 })).toBe(await text({ seed: 1 }));
  expect(await text({ seed: 1 })).not.toBe(await text({ seed: 2 }));
  expect(await text({})).not.toBe(await text({}));
  expect(await text({ temperature: 0, seed: 1 })).toBe(await text({ temperature: 0, seed: 2 }));
  const messages = [{ role: 'user', content: 'Bye' }] as const;
  expect(await text({ temperature: 0, messages })).not.toBe(await text({ temperature: 0 }));
});

test('a stop sequence over the border of two words ends the text before it', async () => {
  const { text } = await generate(scriptedBackend(), { seed: 5 });
  const [first = '', second = '', third = ''] = text.split(' ');
  const stop = [`${second.slice(-1)} ${third.slice(0, 1)}`];
  const stopped = await generate(scriptedBackend(), { seed: 5, stop });
  expect(stopped.text).toBe(`${first} ${second.slice(0, -1)}`);
  expect(stopped.end).toEqual({ type: 'end', finishReason: 'stop', completionTokens: 3 });
});

test('the words of a prompt are counted, and one for each role', async () => {
  const messages = [
    { role: 'system', content: ' Be  brief. ' },
    { role: 'user', content: '' },
  ] as const;
  expect(await scriptedBackend().countPrompt(messages, new AbortController().signal)).toBe(4);
});

test('tokens come at their times', async () => {
  const backend = scriptedBackend({ ttftMs: 60, tokensPerSecond: 100 });
  const since = performance.now();
  const times: number[] = [];
  for await (const _ of backend.generate({ ...plain, maxTokens: 5 }, new AbortController().signal)) {
    times.push(performance.now() - since);
  }
  expect(times[0]).toBeGreaterThan(58);
  expect(times[4]).toBeGreaterThan(98);
});

test('an abort ends the text at once, without an end', async () => {
  const abort = new AbortController();
  const generated = generate(scriptedBackend({ ttftMs: 3_600_000 }), {}, abort.signal);
  setTimeout(() => abort.abort(), 30);
  const { events } = await generated;
  expect(events).toEqual([]);
});
