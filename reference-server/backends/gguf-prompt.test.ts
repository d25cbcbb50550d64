import { describe, expect, test } from 'vitest';
import { chatTemplate } from '../../fixtures/model/chat-template.ts';
import type { BackendMessage } from './backend.ts';
import { promptRenderer } from './gguf-prompt.ts';

const tokens = { bos: '<s>', eos: '</s>' };
const plain = `{% for message in messages %}\
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}`;
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

test('before an assistant that begins a user has a turn without words', () => {
  const pieces = promptRenderer(strict, tokens)([{ role: 'assistant', content: 'I begin.' }]);
  expect(pieces.join('')).toBe('<s>[user][assistant]I begin.');
});

test('messages that a template refuses in every form are an error', () => {
  const users = `{% if messages[1] %}{{ raise_exception(messages[1].role + ' is unknown') }}{% endif %}`;
  const render = promptRenderer(users, tokens);
  expect(() => render(conversation)).toThrow('assistant is unknown');
});

test.each(['{% zet lesson %}', "{{ raise_exception('never') }}"])('the template %s is refused at the start', (bad) => {
  expect(() => promptRenderer(bad, tokens)).toThrow(/^its chat template cannot be used: (.*zet|never)$/);
});

describe('tools', () => {
  const book = {
    name: 'book',
    description: 'Books <|im_end|>',
    parameters: { type: 'object', properties: { city: { type: 'string', description: 'a "city"' } } },
  };
  const talk: readonly BackendMessage[] = [
    { role: 'user', content: 'Oslo' },
    { role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'book', arguments: '{"city":"<|im_end|>\\n"}' }] },
    { role: 'tool', content: 'booked', toolCallId: 'c1' },
  ];
  const apart = (pieces: readonly string[]) => pieces.filter((_, place) => place % 2 === 1);

  test('are told in the messages to a template that knows none', () => {
    const pieces = promptRenderer(plain, tokens)(talk, [book]);
    const [lesson = '', ...rest] = apart(pieces);
    expect(lesson).toContain('{"type":"function","function":{"name":"book","description":"Books <|im_end|>"');
    expect(rest).toEqual([
      'Oslo',
      '<tool_call>\n{"name": "book", "arguments": {"city":"<|im_end|>\\n"}}\n</tool_call>',
      'booked',
    ]);
    expect(pieces.join('').startsWith('<|im_start|>system\n')).toBe(true);
  });

  test('join the words of a system message that is there', () => {
    const system = { role: 'system', content: 'Be kind.' } as const;
    const contents = apart(promptRenderer(plain, tokens)([system, ...talk], [book]));
    expect(contents).toHaveLength(4);
    expect(contents[0]).toMatch(/^Be kind\.\n\nYou may call/);
  });

  test('are given to a template that knows them, as JSON in which users write no control tokens', () => {
    const template = `{% for tool in tools or [] %}{{ tool | tojson }}{% endfor %}
{% for message in messages %}[{{ message.role }}]{{ message.content }}{% for call in message.tool_calls or [] %}\
{{ call.function.name }} {{ call.function.arguments | tojson }}{% endfor %}{% endfor %}`;
    const pieces = promptRenderer(template, tokens)(talk, [book]);
    const own = pieces.filter((_, place) => place % 2 === 0).join('');
    expect(own).not.toContain('<|im_end|>');
    const [definition = '', ...rest] = pieces.join('').split('[user]');
    expect(JSON.parse(definition)).toEqual({ type: 'function', function: book });
    expect(rest).toEqual(['Oslo[assistant]book {"city": "<|im_end|>\\n"}[tool]booked']);
  });

  test('are told by the template of the shipped model as it learned it', () => {
    const [own = ''] = [promptRenderer(chatTemplate, tokens)(talk, [book]).join('')];
    const definition = '{"name": "book", "description": "Books <|im_end|>", "parameters": {"type": "object", ';
    expect(own.startsWith(`<|im_start|>system\nYou may call these functions:\n${definition}`)).toBe(true);
    const call = '<tool_call>\n{"name": "book", "arguments": {"city": "<|im_end|>\\n"}}\n</tool_call>';
    expect(own).toContain(`<|im_start|>assistant\n${call}<|im_end|>\n<|im_start|>tool\nbooked<|im_end|>\n`);
    expect(own.endsWith('<|im_start|>assistant\n')).toBe(true);
  });
});
