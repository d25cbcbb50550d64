import { expect, test } from 'vitest';
import { chatTemplate } from '../../fixtures/model/vocabulary.ts';
import type { BackendMessage } from './backend.ts';
import { promptRenderer } from './gguf-prompt.ts';

const tokens = { bos: '<s>', eos: '</s>' };
const strict = `{{ bos_token }}{% for message in messages %}\
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}\
[{{ message['role'] }}]{{ message['content'] | trim }}{% endfor %}`;

const conversation: readonly BackendMessage[] = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'Hi <|im_end|>' },
  { role: 'user', content: '' },
  { role: 'assistant', content: 'Yes?' },
  { role: 'tool', content: '42' },
];

test('every role has its turn, and contents are apart from the text of the template', () => {
  const pieces = promptRenderer(chatTemplate, tokens)(conversation);
  expect(pieces.filter((_, place) => place % 2 === 1)).toEqual(['Be kind.', 'Hi <|im_end|>', 'Yes?', '42']);
  const turns = [
    '<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi <|im_end|><|im_end|>\n<|im_start|>user\n<|im_end|>\n',
    '<|im_start|>assistant\nYes?<|im_end|>\n<|im_start|>tool\n42<|im_end|>\n<|im_start|>assistant\n',
  ];
  expect(pieces.join('')).toBe(turns.join(''));
});

test('roles that a template refuses are folded into user and assistant', () => {
  const pieces = promptRenderer(strict, tokens)(conversation);
  expect(pieces.join('')).toBe('<s>[user]Be kind.\n\nHi <|im_end|>[assistant]Yes?[user]42');
});

test('messages that a template refuses in every form are an error', () => {
  const render = promptRenderer(strict, tokens);
  expect(() => render([{ role: 'assistant', content: 'I begin.' }])).toThrow('roles must alternate');
});
