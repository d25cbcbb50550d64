import { execFile, fork } from 'node:child_process';
import { copyFile, mkdtemp, rm, truncate } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { shippedPath, shippedTokenizer } from '../../fixtures/model/shipped.ts';
import type { Tokenizer } from '../../fixtures/model/tokenizer.ts';
import { type Backend, BackendUnavailable, type Generation, type GenerationEvent } from './backend.ts';
import { loadGgufBackend } from './gguf.ts';
import { childPids, endless, shippedOptions as options, request } from './gguf-rig.ts';

const wanted = new AbortController().signal;
/** Each start of a model takes seconds on a busy machine. */
const slow = { timeout: 90_000 };
/** At a temperature it is answered in many ways. */
const open = 'Write a long story about a fox.';

/** Each request has a signal of its own, as those of a server have. */
async function run(backend: Backend, generation: Generation, signal = new AbortController().signal) {
  const events: GenerationEvent[] = [];
  for await (const event of backend.generate(generation, signal)) events.push(event);
  const texts = events.flatMap((event) => (event.type === 'text' ? [event.text] : []));
  return { texts, text: texts.join(''), end: events.at(-1) };
}

describe('one model for many requests', () => {
  let backend: Backend;
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    backend = await loadGgufBackend(options);
    tokenizer = await shippedTokenizer();
  });
  afterAll(() => backend.close());

  test('the model is named, dated and measured by its file', () => {
    expect(backend.model).toMatchObject({ id: 'stack29/tiny', contextWindow: 4096 });
    expect(backend.model.created).toBeGreaterThan(1_700_000_000);
    expect(Number.isInteger(backend.model.created)).toBe(true);
  });

  test('a prompt counts the tokens of its contents, and those of the template', async () => {
    const frame = await backend.countPrompt([{ role: 'user', content: '' }], wanted);
    expect(frame).toBe(tokenizer.encode('user\n').length + 1 + tokenizer.encode('assistant\n').length + 3);
    for (const content of ['Hello', 'é😀', '<|im_end|>', 'def f(x):\n    return 2 * x\n', '1234']) {
      const count = await backend.countPrompt([{ role: 'user', content }], wanted);
      expect(count - frame).toBe(tokenizer.encode(content).length);
    }
  });

  test('prompts that cannot fit are refused without the process of the model', async () => {
    const long = [{ role: 'user', content: 'a '.repeat(3_700_000) }] as const;
    const many = Array.from({ length: 250_000 }, () => ({ role: 'user', content: '' }) as const);
    const { messages } = request('Hello');
    const tools = Array.from({ length: 100 }, (_, place) => ({ name: `f${place}`, description: 'x'.repeat(70_000) }));
    const call = { id: 'a', name: 'look', arguments: JSON.stringify({ at: 'x'.repeat(100_000) }) };
    const calling = [...messages, { role: 'assistant', content: '', toolCalls: [call] } as const];
    const [pid = 0] = await childPids();
    // As long as it is stopped nothing is heard of it.
    process.kill(pid, 'SIGSTOP');
    try {
      const counts = [long, many, calling].map((talk) => backend.countPrompt(talk, wanted));
      counts.push(backend.countPrompt(messages, wanted, tools));
      for (const count of await Promise.all(counts)) expect(count).toBeGreaterThan(4096);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect((await run(backend, request('Hello', { maxTokens: 1 }))).texts).toHaveLength(1);
  });

  test('a prompt that may fit is counted to the last token', async () => {
    const count = (content: string) => backend.countPrompt([{ role: 'user', content }], wanted);
    const words = 'a '.repeat(15_000);
    expect((await count(words)) - (await count(''))).toBe(tokenizer.encode(words).length);
    expect(tokenizer.encode(words).length).toBeGreaterThan(15_000);
  });

  test('nothing is counted for who left while waiting', async () => {
    const leaving = new AbortController();
    const count = (content: string, signal: AbortSignal) => backend.countPrompt([{ role: 'user', content }], signal);
    const first = count('a '.repeat(15_000), wanted);
    const left = count('a '.repeat(15_000), leaving.signal);
    leaving.abort();
    expect(await left).toBe(0);
    expect(await first).toBeGreaterThan(15_000);
    expect(await count('', AbortSignal.abort())).toBe(0);
  });

  test('every role takes part in the prompt', async () => {
    const roles = ['system', 'system', 'user', 'user', 'assistant', 'tool'] as const;
    const counts = roles.map((_, end) => {
      const messages = roles.slice(0, end + 1).map((role) => ({ role, content: 'x' }));
      return backend.countPrompt(messages, wanted);
    });
    const tokens = (text: string) => tokenizer.encode(text).length;
    const added = (await Promise.all(counts)).map(
      (count, place, all) => count - (all[place - 1] ?? tokens('assistant\n') + 1),
    );
    expect(added).toEqual(roles.map((role) => tokens(`${role}\n`) + tokens('x') + tokens('\n') + 2));
  });

  test('the number of tokens is exactly the one asked for', async () => {
    for (const maxTokens of [1, 2, 100]) {
      const { text, end } = await run(backend, request(endless, { maxTokens }));
      expect(end).toMatchObject({ type: 'end', finishReason: 'length', completionTokens: maxTokens });
      expect(tokenizer.encode(text)).toHaveLength(maxTokens);
    }
  });

  test('at temperature 0 a prompt has one text, and other prompts have others', async () => {
    const prompts = ['Hello', endless, 'What is 2 + 2?', 'Write a poem about the sea.', 'ping', 'Say hi'];
    const texts = await Promise.all(prompts.map(async (prompt) => (await run(backend, request(prompt))).text));
    expect(new Set(texts).size).toBe(prompts.length);
    expect((await run(backend, request('Hello'))).text).toBe(texts[0]);
  });

  test('a seed gives the same text alone and among others, another seed another text', async () => {
    const seeded = (seed: number, content = open) => {
      return run(backend, request(content, { seed, temperature: 1, maxTokens: 120 }));
    };
    const alone = await seeded(7);
    const others = Array.from({ length: 11 }, (_, place) => seeded(place, 'Other '.repeat(20 * place)));
    expect((await Promise.all([seeded(7), ...others]))[0]?.texts).toEqual(alone.texts);
    expect((await seeded(8)).text).not.toBe(alone.text);
    expect((await seeded(-7 + 2 ** 32)).text).toBe((await seeded(-7)).text);
  });

  test('without a seed texts differ', async () => {
    const [one, other] = await Promise.all([1, 2].map(() => run(backend, request(open, { temperature: 1 }))));
    expect(one?.text).not.toBe(other?.text);
  });

  test('a stop sequence ends the text before itself and never shows', async () => {
    const { text } = await run(backend, request(endless, { maxTokens: 100 }));
    const tokens = tokenizer.encode(text);
    const lengthAfter = (count: number) => tokenizer.decode(tokens.slice(0, count)).length;
    for (const stop of [text.slice(0, 2), text.slice(10, 11), text.slice(40, 49), text.slice(97, 120)]) {
      const stopped = await run(backend, request(endless, { maxTokens: 100, stop: ['never this', stop] }));
      expect(stopped.text).toBe(text.slice(0, text.indexOf(stop)));
      const end = text.indexOf(stop) + stop.length;
      const completionTokens = tokens.findIndex((_, place) => lengthAfter(place + 1) >= end) + 1;
      expect(stopped.end).toMatchObject({ type: 'end', finishReason: 'stop', completionTokens });
    }
  });

  test('the beginning of a stop sequence is given in the end when the rest does not come', async () => {
    const { text } = await run(backend, request(endless));
    const unfinished = await run(backend, request(endless, { stop: [`${text.slice(-3)}never`] }));
    expect(unfinished.text).toBe(text);
    expect(unfinished.end).toMatchObject({ finishReason: 'length' });
  });

  test('a wild text is valid Unicode, and may end by itself', async () => {
    const wild = Array.from({ length: 8 }, (_, seed) => {
      return run(backend, request('Hello', { seed, temperature: 2, maxTokens: 400 }));
    });
    const results = await Promise.all(wild);
    for (const { text, texts } of results) {
      expect(Buffer.from(text).toString()).toBe(text);
      for (const piece of texts) expect(Buffer.from(piece).toString()).toBe(piece);
    }
    const reasons = results.map(({ end }) => end?.type === 'end' && end.finishReason);
    expect(new Set(reasons)).toContain('stop');
  });

  test('penalties spread the text or narrow it', async () => {
    const different = async (changes: Partial<Generation>) => {
      const { text } = await run(backend, request(open, { maxTokens: 120, ...changes }));
      const tokens = tokenizer.encode(text);
      return new Set(tokens).size / tokens.length;
    };
    const plain = await different({});
    expect(await different({ frequencyPenalty: 2 })).toBeGreaterThan(plain);
    expect(await different({ presencePenalty: 2 })).toBeGreaterThan(plain);
    expect(await different({ frequencyPenalty: -2 })).toBeLessThan(plain);
  });

  test('a nucleus of nothing leaves the likeliest token', async () => {
    const { text } = await run(backend, request(open));
    expect((await run(backend, request(open, { temperature: 1, topP: 0 }))).text).toBe(text);
  });

  test('more generations than sequences all finish', async () => {
    const many = Array.from({ length: 20 }, (_, place) =>
      run(backend, request(`${endless} ${place}`, { maxTokens: 50 })),
    );
    for (const { end } of await Promise.all(many)) expect(end).toMatchObject({ completionTokens: 50 });
  });
});

describe('one sequence', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadGgufBackend({ ...options, modelId: 'mine/small', contextSize: 256, sequences: 1 });
  });
  afterAll(() => backend.close());

  test('the given id and context are the ones served', () => {
    expect(backend.model).toMatchObject({ id: 'mine/small', contextWindow: 256 });
  });

  test('prompt and text fill the context to its last token', async () => {
    const { messages } = request(endless);
    const maxTokens = 256 - (await backend.countPrompt(messages, wanted));
    const { text, end } = await run(backend, request(endless, { maxTokens }));
    expect(end).toMatchObject({ finishReason: 'length', completionTokens: maxTokens });
    expect(text.startsWith((await run(backend, request(endless, { maxTokens: 100 }))).text)).toBe(true);
  });

  test('an abort ends a generation at once, running or waiting, and frees its sequence', async () => {
    const running = new AbortController();
    const waiting = new AbortController();
    const seen: GenerationEvent[] = [];
    const long = request(endless, { maxTokens: 200 });
    const first = (async () => {
      for await (const event of backend.generate(long, running.signal)) {
        seen.push(event);
        if (seen.length === 5) running.abort();
      }
    })();
    const second = run(backend, long, waiting.signal);
    waiting.abort();
    expect((await second).texts).toEqual([]);
    await first;
    expect(seen.map(({ type }) => type)).toEqual(Array(5).fill('text'));
    expect((await run(backend, request(endless))).end).toMatchObject({ completionTokens: 32 });
  });

  test('an aborted signal generates nothing', async () => {
    expect(await run(backend, request(endless), AbortSignal.abort())).toEqual({ texts: [], text: '', end: undefined });
  });

  test('a loop that is left early frees its sequence', async () => {
    for await (const event of backend.generate(request(endless, { maxTokens: 200 }), wanted)) {
      expect(event.type).toBe('text');
      break;
    }
    expect((await run(backend, request(endless))).end).toMatchObject({ completionTokens: 32 });
  });
});

test('a model that is not tiny remembers prompts too', slow, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gguf-large-'));
  const large = join(folder, 'large.gguf');
  await copyFile(shippedPath, large);
  // What follows the tensors is never read, but counts as size.
  await truncate(large, 70 * 2 ** 20);
  const backend = await loadGgufBackend({ ...options, modelPath: large, threads: 1, sequences: 4 });
  const story = 'Once upon a time there was a sea. '.repeat(110);
  const together = Array.from({ length: 6 }, (_, place) => run(backend, request(`${story}${place % 2}`)));
  const results = await Promise.all(together);
  for (const { end } of results) expect(end).toMatchObject({ type: 'end' });
  const known = await run(backend, request(`${story}0`, { maxTokens: 1 }));
  const read = known.end?.type === 'end' ? known.end.promptTokensRead : undefined;
  expect(read).toBeLessThan(32);
  expect(results[0]?.text.startsWith(known.text)).toBe(true);
  await backend.close();
  await rm(folder, { recursive: true });
});

test('a crash ends what runs with BackendUnavailable, and the same model comes back', slow, async () => {
  const told: string[] = [];
  const backend = await loadGgufBackend({ ...options, gpu: 'auto' }, { tell: (words) => told.push(words) });
  const before = await run(backend, request(endless));
  const running = run(backend, request(endless, { maxTokens: 4000 }));
  const [pid] = await childPids();
  const counts = [1, 2].map(() => backend.countPrompt(request('a '.repeat(15_000)).messages, wanted));
  process.kill(pid ?? 0, 'SIGKILL');
  const results = await Promise.allSettled([running, ...counts]);
  const unavailable = { status: 'rejected', reason: expect.any(BackendUnavailable) };
  expect(results).toEqual([unavailable, unavailable, unavailable]);
  expect(Number(backend.backInMs)).toBeGreaterThan(0);
  await expect(backend.countPrompt(request(endless).messages, wanted)).rejects.toThrow(BackendUnavailable);
  await expect(run(backend, request(endless))).rejects.toThrow('starting again');
  await vi.waitUntil(() => run(backend, request(endless)).catch(() => false), { timeout: 60_000, interval: 100 });
  expect(backend.backInMs).toBeUndefined();
  expect(await run(backend, request(endless))).toEqual(before);
  const words = /^the process of the model ended \(SIGKILL\): it is started again in 0\.\d s$/;
  expect(told).toEqual([expect.stringMatching(words)]);
  expect(backend.restarts).toBe(1);
  // Nothing is left to what the machine would choose now.
  const [restarted] = await childPids();
  const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(restarted)]);
  expect(JSON.parse(stdout.slice(stdout.indexOf('{')))).toEqual({
    ...{ modelPath: shippedPath, modelId: backend.model.id, contextSize: backend.model.contextWindow },
    ...{ gpu: false, sequences: 8, threads: 1 },
  });
  await backend.close();
  await expect(childPids()).rejects.toThrow('Command failed');
});

test('signals that its server gets too do not end the process', slow, async () => {
  const backend = await loadGgufBackend(options);
  const { text } = await run(backend, request('Hello'));
  const [pid] = await childPids();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  let heard = '';
  for await (const event of backend.generate(request('Hello'), wanted)) {
    if (heard === '') for (const signal of signals) process.kill(pid ?? 0, signal);
    if (event.type === 'text') heard += event.text;
  }
  expect(heard).toBe(text);
  expect(await childPids()).toEqual([pid]);
  await backend.close();
  await expect(childPids()).rejects.toThrow('Command failed');
});

test.each(['idle', 'generating'])('the process ends when the one that started it is gone (%s)', slow, async (state) => {
  const program = createRequire(import.meta.url).resolve('#gguf-process');
  const child = fork(program, [JSON.stringify(options)], { execArgv: [] });
  await new Promise((resolve) => child.once('message', resolve));
  if (state === 'generating') {
    const generation = request(endless, { temperature: 0.7, maxTokens: 4_000 });
    child.send([1, { type: 'generate', generation }]);
    await new Promise((resolve) => child.once('message', resolve));
  }
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.disconnect();
  expect(await ended).toBe(0);
});
