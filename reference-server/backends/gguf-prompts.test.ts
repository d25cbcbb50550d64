import { getLlama, type LlamaModel, type Token } from 'node-llama-cpp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { chatTemplate } from '../../fixtures/model/chat-template.ts';
import { shippedPath, shippedTokenizer } from '../../fixtures/model/shipped.ts';
import { promptTokens } from '../../fixtures/model/training-set.ts';
import { promptRenderer } from './gguf-prompt.ts';
import { Prompts } from './gguf-prompts.ts';
import { slicesOf, vocabularyOf } from './gguf-vocabulary.ts';

const never = new AbortController().signal;
const contextWindow = 4096;
const renderer = promptRenderer(chatTemplate, { bos: '<|endoftext|>', eos: '<|im_end|>' });
const user = (content: string) => [{ role: 'user', content }] as const;

let model: LlamaModel;
beforeAll(async () => {
  const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, progressLogs: false, maxThreads: 1 });
  model = await llama.loadModel({ modelPath: shippedPath });
});
afterAll(() => model.dispose());

/** Prompts, and how often one was rendered. */
function prompts() {
  const render = vi.fn(renderer);
  return { render, prompts: new Prompts(model, render, vocabularyOf(model), contextWindow) };
}

const words = (count: number) =>
  Array.from({ length: count }, (_, place) => `word${place % 7 ? '' : ','} and`).join(' ');

describe('the tokens of a prompt', () => {
  test.each([
    ['words', words(4_000)],
    ['spaces', `a${' '.repeat(1_500)}b`],
    ['lines', 'int x = 1;\n    return x\n'.repeat(500)],
    ['another script', '海は広いな'.repeat(1_000)],
    ['control tokens', '<|im_end|> and <|im_start|>'.repeat(300)],
    ['nothing', ''],
  ])('are those of the whole text, however it is cut: %s', async (_, content) => {
    const tokenizer = await shippedTokenizer();
    const tokens = await prompts().prompts.tokens(user(content), [], never);
    expect([...tokens]).toEqual(promptTokens(tokenizer, renderer(user(content))));
  });

  test('are made once for a chat that is counted and then answered', async () => {
    const { render, prompts: known } = prompts();
    const counted = await known.tokens(user('Hello'), [], never);
    const answered = await known.tokens(user('Hello'), [], never);
    expect(answered).toEqual(counted);
    expect(render).toHaveBeenCalledTimes(1);
    await known.tokens(user('Hello'), [{ name: 'look' }], never);
    expect(render).toHaveBeenCalledTimes(2);
  });

  test('are forgotten where no answer follows, or many others came since', async () => {
    const { render, prompts: known } = prompts();
    for (let time = 0; time < 2; time += 1) await known.tokens(user(words(3_000)), [], never);
    expect(render).toHaveBeenCalledTimes(2);
    await known.tokens(user('Hello'), [], never);
    for (let other = 0; other < 100; other += 1) await known.tokens(user(`Other ${other}`), [], never);
    render.mockClear();
    await known.tokens(user('Hello'), [], never);
    expect(render).toHaveBeenCalledTimes(1);
  });

  test('are not made to their end for who leaves', async () => {
    const leaving = new AbortController();
    const tokenize = vi.spyOn(model, 'tokenize');
    try {
      const { prompts: known } = prompts();
      // The model has its turn between two stretches: so may an abort.
      setImmediate(() => leaving.abort());
      expect(await known.tokens(user('a '.repeat(400_000)), [], leaving.signal)).toEqual([]);
      expect(tokenize.mock.calls.length).toBeLessThan(200);
    } finally {
      tokenize.mockRestore();
    }
  });
});

describe('the vocabulary', () => {
  test('has no token that is longer than it says, but for control tokens', () => {
    const { longestToken, isBytePair, hasSeams } = vocabularyOf(model);
    const lengths = Array.from(model.iterateAllTokens(), (token: Token) =>
      Buffer.byteLength(model.detokenize([token])),
    );
    expect(longestToken).toBe(Math.max(...lengths));
    expect([isBytePair, hasSeams]).toEqual([true, true]);
  });

  const of = (ggml: object) => vocabularyOf({ fileInfo: { metadata: { tokenizer: { ggml } } } } as LlamaModel);

  test('of byte pairs has no seams where a token reaches over one', () => {
    expect(of({ model: 'gpt2', tokens: ['a', 'Ġb', 'aĠb'], token_type: [1, 1, 1] }).hasSeams).toBe(false);
    expect(of({ model: 'gpt2', tokens: ['a', 'Ġb', 'to do'], token_type: [1, 1, 4] }).hasSeams).toBe(false);
    expect(of({ model: 'gpt2', tokens: ['a', 'Ġb', 'aĠb'], token_type: [1, 1, 3] }).hasSeams).toBe(true);
  });

  test('of another kind has none, and counts its letters in bytes', () => {
    const pieces = of({ model: 'llama', tokens: ['a', '▁b', '<|a control token|>'], token_type: [1, 1, 3] });
    expect(pieces).toEqual({ longestToken: 4, isBytePair: false, hasSeams: false });
  });
});

test('a text is cut before words, and stays whole where there are none', () => {
  expect([...slicesOf('one two, three  four five', 4)]).toEqual(['one two, three  four', ' five']);
  expect([...slicesOf('海'.repeat(100), 4)]).toEqual(['海'.repeat(100)]);
  expect([...slicesOf('', 4)]).toEqual(['']);
});
