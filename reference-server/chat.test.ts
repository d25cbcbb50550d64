import { once } from 'node:events';
import { expect, test } from 'vitest';
import { problemsOf } from '../specs/validate.ts';
import { type Backend, BackendUnavailable, type Generation, type GenerationEvent } from './backends/backend.ts';
import { scriptedBackend } from './backends/scripted.ts';
import { key, plainChat, startRig } from './test-rig.ts';

/** A backend that gives these events, and fails where one is an error. */
function backendOf(...events: readonly (GenerationEvent | Error)[]): Backend {
  return {
    ...scriptedBackend(),
    async *generate() {
      for (const event of events) {
        if (event instanceof Error) throw event;
        yield event;
      }
    },
  };
}

const word = { type: 'text', text: 'word' } as const;

test('an answer in one body is as the schema says, and counts its tokens', async () => {
  const { chat } = await startRig();
  const { status, json } = await chat();
  expect(status).toBe(200);
  expect(problemsOf('chat-completion', json)).toEqual([]);
  expect(json.choices[0].message.content.split(' ')).toHaveLength(6);
  expect(json.choices[0].finish_reason).toBe('length');
  expect(json.usage).toEqual({ prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 });
});

test('a stream holds the same text as the answer in one body, in events that end with [DONE]', async () => {
  const { chat } = await startRig();
  const whole = await chat({ temperature: 0 });
  const { headers, text } = await chat({ temperature: 0, stream: true, stream_options: { include_usage: true } });
  expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(text).toMatch(/^(data: [^\n]+\n\n)+$/);
  const data = text
    .trimEnd()
    .split('\n\n')
    .map((event) => event.slice('data: '.length));
  expect(data.pop()).toBe('[DONE]');
  const chunks = data.map((chunk) => JSON.parse(chunk));
  expect(chunks.flatMap((chunk) => problemsOf('chat-chunk', chunk))).toEqual([]);
  const content = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
  expect(content).toBe(whole.json.choices[0].message.content);
  expect(chunks.at(-2).choices[0]).toEqual({ index: 0, delta: {}, finish_reason: 'length' });
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.json.usage });
});

test('a stream has the headers of any response', async () => {
  const { chat } = await startRig();
  const { headers } = await chat({ stream: true });
  expect(headers.get('x-api-version')).toBe('1.0');
  expect(problemsOf('rate-limit-headers', Object.fromEntries(headers))).toEqual([]);
});

test('the backend gets the documented defaults', async () => {
  let asked: Generation | undefined;
  const behaviour = {
    generation(generation: Generation) {
      asked = generation;
      return { ...generation, maxTokens: 1 };
    },
  };
  const { chat } = await startRig({ behaviour });
  await chat({ max_tokens: undefined });
  expect(asked).toEqual({
    messages: plainChat.messages,
    maxTokens: 1000,
    temperature: 0.7,
    topP: 1,
    frequencyPenalty: 0,
    presencePenalty: 0,
    stop: [],
  });
});

test('the bound on tokens has a second name, which some clients use alone', async () => {
  const { chat } = await startRig();
  const tokens = async (members: object) => (await chat(members)).json.usage.completion_tokens;
  expect(await tokens({ max_tokens: undefined, max_completion_tokens: 2 })).toBe(2);
  expect(await tokens({ max_tokens: 5, max_completion_tokens: 3 })).toBe(3);
  const { status, json } = await chat({ max_completion_tokens: 0 });
  expect([status, json.error.param]).toEqual([400, 'max_completion_tokens']);
});

test('a prompt that does not fit is refused with the counts, one that just fits is answered in what is left', async () => {
  const { chat } = await startRig({ backend: scriptedBackend({ contextWindow: 10 }) });
  const ask = (words: number) => chat({ messages: [{ role: 'user', content: 'a '.repeat(words) }], max_tokens: 50 });
  const { status, json } = await ask(9);
  expect([status, json.error.code]).toEqual([400, 'context_length_exceeded']);
  expect(json.error.message).toContain('the prompt has 10 tokens or more, and the context window of 10 tokens');
  expect((await ask(8)).json.usage).toEqual({ prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 });
});

test('messages of every role are taken, with tools offered', async () => {
  const { chat } = await startRig();
  const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } };
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Look.', name: 'ada' },
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', content: 'A tree.', tool_call_id: 'call_1' },
  ];
  const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }];
  expect((await chat({ messages, tools, tool_choice: 'auto' })).status).toBe(200);
});

test.each([
  [undefined, '1', 'in a moment'],
  [2_100, '3', 'in 3 s'],
])(
  'a backend that is back after %s ms is a 503 with Retry-After %s, streamed or not',
  async (backInMs, after, when) => {
    const { chat } = await startRig({ backend: backendOf(new BackendUnavailable('down', backInMs)) });
    for (const stream of [false, true]) {
      const { status, json, headers } = await chat({ stream });
      expect([status, headers.get('retry-after'), json.error.code]).toEqual([503, after, 'service_unavailable']);
      expect(json.error.message).toBe(`the model cannot answer now: try again ${when}`);
    }
  },
);

test('a failure in the middle of a stream is its last event, without [DONE]', async () => {
  const { chat } = await startRig({ backend: backendOf(word, word, new BackendUnavailable('down')) });
  const { status, text } = await chat({ stream: true });
  expect(status).toBe(200);
  expect(text).not.toContain('[DONE]');
  const last = text.trimEnd().split('\n\n').at(-1) ?? '';
  expect(JSON.parse(last.slice('data: '.length))).toMatchObject({ error: { code: 'service_unavailable' } });
});

test.each([false, true])('a client that goes away ends the generation (streamed: %s)', async (stream) => {
  const leaving = new AbortController();
  let ended = (_: unknown) => {};
  const aborted = new Promise((resolve) => {
    ended = resolve;
  });
  const slow = scriptedBackend({ tokensPerSecond: 20 });
  const backend: Backend = {
    ...slow,
    async *generate(generation, signal) {
      for await (const event of slow.generate(generation, signal)) {
        yield event;
        leaving.abort();
      }
      ended(signal.aborted);
    },
  };
  const { url } = await startRig({ backend });
  const request = fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...plainChat, max_tokens: 1000, stream }),
    signal: leaving.signal,
  });
  await expect(request.then((response) => response.text())).rejects.toThrow();
  expect(await aborted).toBe(true);
});

test('a client that goes away before its prompt is counted starts no generation', async () => {
  let generations = 0;
  const client = new AbortController();
  let counted = () => {};
  const isCounted = new Promise<void>((resolve) => {
    counted = resolve;
  });
  const backend: Backend = {
    ...scriptedBackend(),
    async countPrompt(_, signal) {
      client.abort();
      await once(signal, 'abort');
      counted();
      return 1;
    },
    async *generate() {
      generations += 1;
      yield { type: 'end', finishReason: 'stop', completionTokens: 0 };
    },
  };
  const { url } = await startRig({ backend });
  const request = fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...plainChat, stream: true }),
    signal: client.signal,
  });
  await expect(request).rejects.toThrow();
  await isCounted;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(generations).toBe(0);
});
