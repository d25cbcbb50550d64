import { expect, test } from 'vitest';
import { problemsOf } from '../specs/validate.ts';
import { Activity } from './activity.ts';
import type { Exchange } from './admission.ts';
import { type AnswerEvent, answerEvents } from './answer-events.ts';
import { ApiError } from './api-error.ts';
import type { Backend, BackendMessage, GenerationEvent } from './backends/backend.ts';
import { scriptedBackend } from './backends/scripted.ts';
import { plainBehaviour } from './behaviour.ts';
import type { Chat } from './chat-answer.ts';
import { Keyring } from './keys/keyring.ts';
import { Limiter } from './limits/limiter.ts';
import { memoryStore } from './limits/store.ts';
import { tellAll } from './operation/watcher.ts';
import { Phase } from './phase.ts';
import { Slots } from './slots.ts';
import { plainChat, startRig } from './test-rig.ts';
import { callText, markedCall } from './tools/call-reader.ts';
import { executeCode } from './tools/execute-code.ts';
import { Webhooks } from './webhooks/webhooks.ts';

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const clock = { type: 'function', function: { name: 'get_time' } };
const named = (name: string) => ({ type: 'function', function: { name } });

const program = (code: string, language = 'javascript') => ({
  tools: [
    {
      type: 'function',
      function: {
        name: 'execute_code',
        parameters: {
          properties: { code: { enum: [code] }, language: { enum: [language] } },
          required: ['code', 'language'],
        },
      },
    },
  ],
  tool_choice: 'required',
  max_tokens: 60,
});

/** A model that says these texts, one a round, and remembers what it read. */
function speaking(...texts: readonly string[]) {
  const read: (readonly BackendMessage[])[] = [];
  const backend: Backend = {
    ...scriptedBackend(),
    async *generate({ messages }): AsyncGenerator<GenerationEvent> {
      const text = texts[read.push(messages) - 1] ?? texts.at(-1) ?? '';
      for (const piece of text.match(/.{1,5}/gs) ?? []) yield { type: 'text', text: piece };
      yield { type: 'end', finishReason: 'stop', completionTokens: 7 };
    },
  };
  return { backend, read };
}

test('a function that is named is called, in one body and in pieces', async () => {
  const { chat } = await startRig();
  const forced = { tools: [clock, weather], tool_choice: named('get_weather'), temperature: 0, max_tokens: 60 };
  const { json } = await chat(forced);
  expect(problemsOf('chat-completion', json)).toEqual([]);
  const [{ message, finish_reason }] = json.choices;
  expect([message.content, finish_reason]).toEqual([null, 'tool_calls']);
  expect(message.tool_calls).toHaveLength(1);
  const given = message.tool_calls[0].function.arguments;
  expect(JSON.parse(given)).toEqual({ city: expect.stringMatching(/^[a-z]+$/) });

  const { text } = await chat({ ...forced, stream: true });
  const chunks = text
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)));
  expect(chunks.flatMap((chunk) => problemsOf('chat-chunk', chunk))).toEqual([]);
  const [head, ...pieces] = chunks.flatMap(({ choices }) => choices[0].delta.tool_calls ?? []);
  expect(head).toMatchObject({ index: 0, type: 'function', function: { name: 'get_weather', arguments: '' } });
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.map((piece) => piece.function.arguments).join('')).toBe(given);
  expect(chunks.at(-1).choices[0]).toEqual({ index: 0, delta: {}, finish_reason: 'tool_calls' });
});

test('the model is free with "auto", and nothing it says is a call with "none"', async () => {
  const text = `So: ${markedCall('get_weather', '{"city":"Oslo"}')}`;
  const { chat } = await startRig({ backend: speaking(text).backend });
  const auto = (await chat({ tools: [weather] })).json.choices[0];
  expect(auto.message).toMatchObject({ content: 'So: ', tool_calls: [{ function: { name: 'get_weather' } }] });
  expect(auto.finish_reason).toBe('tool_calls');
  const none = (await chat({ tools: [weather], tool_choice: 'none' })).json.choices[0];
  expect(none).toMatchObject({ message: { content: text }, finish_reason: 'stop' });
  expect(none.message.tool_calls).toBeUndefined();
});

test('one call is enough where parallel ones are not wanted', async () => {
  const text = markedCall('get_time', '{}').repeat(2);
  const { chat } = await startRig({ backend: speaking(text).backend });
  const calls = async (members: object) =>
    (await chat({ tools: [clock], ...members })).json.choices[0].message.tool_calls;
  expect(await calls({})).toHaveLength(2);
  expect(await calls({ parallel_tool_calls: false })).toHaveLength(1);
});

test('tools count as part of the prompt', async () => {
  const { chat } = await startRig();
  const tokens = async (members: object) => (await chat(members)).json.usage.prompt_tokens;
  expect(await tokens({ tools: [weather] })).toBeGreaterThan(await tokens({}));
  expect(await tokens({ tools: [weather], tool_choice: 'none' })).toBe(await tokens({}));
});

test.each([
  [
    { tools: [{ ...weather, function: { name: 'a', parameters: { type: 'no' } } }] },
    'tools[0].function.parameters',
    'not a JSON Schema',
  ],
  [
    {
      tools: [
        { ...clock, function: { name: 'f', parameters: { properties: { a: { $ref: '#/%zz' } }, required: ['a'] } } },
      ],
      tool_choice: 'required',
    },
    'tools[0].function.parameters',
    '#/%zz has an escape that is none',
  ],
  [{ tools: [clock], tool_choice: named('get_date') }, 'tool_choice', 'names "get_date"'],
  [{ tool_choice: 'required' }, 'tool_choice', 'nothing to call'],
  [
    {
      tools: [
        clock,
        named('f'),
        {
          type: 'function',
          function: { name: 'g', parameters: { properties: { a: { pattern: 'x', type: 'string' } } } },
        },
      ],
      tool_choice: 'required',
    },
    'tools[2].function.parameters',
    'parameters.properties.a.pattern',
  ],
])('%j is refused with words', async (members, param, words) => {
  const { chat } = await startRig();
  const { status, json } = await chat(members);
  expect([status, json.error.code, json.error.param]).toEqual([400, 'invalid_request', param]);
  expect(json.error.message).toContain(words);
});

test.each(['{"items":', '{"default":{"a":'])('parameters that are nested too deep are refused: %s', async (open) => {
  const { post } = await startRig();
  const close = '}'.repeat((open.match(/{/g) ?? []).length);
  for (const levels of [150, 900, 20_000]) {
    const parameters = `${open.repeat(levels)}{}${close.repeat(levels)}`;
    const tools = `[{"type":"function","function":{"name":"f","parameters":${parameters}}}]`;
    const { status, json } = await post(JSON.stringify(plainChat).replace('{', `{"tools":${tools},`));
    if (levels === 150 && open === '{"items":') expect(status).toBe(200);
    else {
      expect([status, json.error.param]).toEqual([400, 'tools[0].function.parameters']);
      expect(json.error.message).toContain('it is nested too deep');
    }
  }
});

test('a schema that cannot be forced does no harm where the model is free', async () => {
  const { chat } = await startRig();
  const free = {
    type: 'function',
    function: { name: 'f', parameters: { properties: { a: { type: 'string', pattern: 'x' } } } },
  };
  expect((await chat({ tools: [free] })).status).toBe(200);
});

test('the server runs its own calls and goes on, and counts the tokens of all rounds', async () => {
  const { backend, read } = speaking(callText('execute_code', '{"code":"6 * 7","language":"js"}'), 'It is 42.');
  const { chat } = await startRig({ backend, tools: executeCode() });
  const { json } = await chat(program('6 * 7'));
  expect(json.choices[0]).toMatchObject({ message: { content: 'It is 42.' }, finish_reason: 'stop' });
  expect(json.choices[0].message.tool_calls).toBeUndefined();
  expect(json.usage.completion_tokens).toBe(14);
  expect(json.usage.total_tokens).toBe(json.usage.prompt_tokens + 14);
  const [, again = []] = read;
  expect(again.slice(-2)).toMatchObject([
    { role: 'assistant', toolCalls: [{ name: 'execute_code', arguments: '{"code":"6 * 7","language":"js"}' }] },
    { role: 'tool', content: '42\n' },
  ]);
});

test.each([false, true])('a program that fails is a 422 (streamed: %s)', async (stream) => {
  const { chat } = await startRig({ tools: executeCode() });
  const { status, json } = await chat({ ...program('throw new Error("no")'), stream });
  expect([status, json.error.code]).toEqual([422, 'tool_error']);
  expect(json.error.message).toBe('execute_code failed: Error: no');
});

test('without a runner, and for other functions, calls are left to the client', async () => {
  const plain = await startRig();
  expect((await plain.chat(program('1'))).json.choices[0].message.tool_calls).toHaveLength(1);
  const running = await startRig({ tools: executeCode() });
  const { json } = await running.chat({ tools: [clock], tool_choice: 'required', max_tokens: 60 });
  expect(json.choices[0].message.tool_calls[0].function.name).toBe('get_time');
});

test('calls of which only some are its own are all left to the client', async () => {
  const own = markedCall('execute_code', '{"code":"1","language":"js"}');
  const text = own + markedCall('get_time', '{}');
  const { chat } = await startRig({ backend: speaking(text).backend, tools: executeCode() });
  const tools = [clock, named('execute_code')];
  const { json } = await chat({ tools });
  expect(json.choices[0].message.tool_calls.map((call: typeof clock) => call.function.name)).toEqual([
    'execute_code',
    'get_time',
  ]);
});

test('a model that would call for ever is told of no tools in the eighth round, and has to use words', async () => {
  const call = markedCall('execute_code', '{"code":"1","language":"js"}');
  const { backend, read } = speaking(...Array.from({ length: 7 }, () => call), 'It is 1.');
  const told: (readonly string[])[] = [];
  const attentive: Backend = {
    ...backend,
    generate(generation, signal) {
      told.push((generation.tools ?? []).map(({ name }) => name));
      return backend.generate(generation, signal);
    },
  };
  const { chat } = await startRig({ backend: attentive, tools: executeCode() });
  const { status, json } = await chat({ tools: [named('execute_code')], max_tokens: 500 });
  expect([status, json.choices[0]]).toMatchObject([200, { message: { content: 'It is 1.' }, finish_reason: 'stop' }]);
  expect(told).toEqual([...Array.from({ length: 7 }, () => ['execute_code']), []]);
  expect(read.at(-1)).toHaveLength(plainChat.messages.length + 14);
});

test('what looks like a call in the last round is text', async () => {
  const call = markedCall('execute_code', '{"code":"1","language":"js"}');
  const { backend, read } = speaking(call);
  const { chat } = await startRig({ backend, tools: executeCode() });
  const { json } = await chat({ tools: [named('execute_code')], max_tokens: 500 });
  expect(json.choices[0]).toMatchObject({ message: { content: call }, finish_reason: 'stop' });
  expect(read).toHaveLength(8);
});

test('max_tokens bounds all rounds together', async () => {
  const { backend, read } = speaking(markedCall('execute_code', '{"code":"1","language":"js"}'));
  const { chat } = await startRig({ backend, tools: executeCode() });
  const { json } = await chat({ tools: [named('execute_code')], max_tokens: 14 });
  expect([json.choices[0].finish_reason, json.usage.completion_tokens, read.length]).toEqual(['length', 14, 2]);
});

test('the events tell when a call begins and what came of it', async () => {
  const { backend } = speaking(markedCall('execute_code', '{"code":"6 * 7","language":"js"}'), 'Done.');
  const limiter = new Limiter(memoryStore(Date.now, 60), Date.now);
  const account = {
    id: 'a',
    limits: { requestsPerMinute: 9, tokensPerDay: 999, concurrent: 1 },
  } as Exchange['account'];
  const watch = tellAll([]);
  const slots = new Slots(1, 0);
  const service = {
    backend,
    limiter,
    keyring: new Keyring([]),
    behaviour: plainBehaviour,
    phase: new Phase(),
    activity: new Activity(),
    slots,
    watch,
    webhooks: new Webhooks(undefined, {
      behaviour: plainBehaviour,
      firstRetryMs: 1,
      clock: Date.now,
      onFault() {},
      onDelivery: watch.delivery,
    }),
    tools: executeCode(),
    clock: Date.now,
    allowFaults: false,
    fetchImage: undefined,
    sendTimeoutMs: 60_000,
    onFault() {},
  };
  const place = await limiter.takePlace(account);
  const turn = slots.take();
  if (place instanceof ApiError || turn instanceof ApiError) throw new Error('there is no place');
  const generation = {
    messages: plainChat.messages as BackendMessage[],
    ...{ maxTokens: 99, temperature: 0, topP: 1, frequencyPenalty: 0, presencePenalty: 0, stop: [] },
    tools: [{ name: 'execute_code' }],
  };
  const request = { ...plainChat, tools: [named('execute_code')] } as Chat['request'];
  const chat: Chat = { id: 'chatcmpl-1', request, model: 'm', promptTokens: 3, generation, place, turn };
  const events: AnswerEvent[] = [];
  for await (const event of answerEvents(service, { account } as Exchange, chat, new AbortController().signal))
    events.push(event);
  expect(events.map(({ type }) => type)).toEqual(['tool_call', 'tool_result', 'text', 'end']);
  const [started, ended] = events;
  expect(started).toMatchObject({ call: { name: 'execute_code', arguments: '{"code":"6 * 7","language":"js"}' } });
  expect(ended).toMatchObject({ result: { output: '42\n', error: null, execution_time_ms: expect.any(Number) } });
  expect(
    ended?.type === 'tool_result' && started?.type === 'tool_call' && ended.result.tool_call_id === started.call.id,
  ).toBe(true);
  expect([slots.busy, slots.queued]).toEqual([0, 0]);
});
