import { describe, expect, test } from 'vitest';
import { problemsOf } from './validate.ts';

const request = { model: 'maker/small', messages: [{ role: 'user', content: 'Hi' }] };

test('a value out of range is shown beside the range', () => {
  expect(problemsOf('chat-request', { ...request, temperature: 3 })).toEqual([
    { pointer: '/temperature', expected: 'a number from 0 to 2', actual: '3' },
  ]);
});

test('a missing member is described as the schema describes it', () => {
  expect(problemsOf('usage', { prompt_tokens: 1, completion_tokens: 0 })).toEqual([
    { pointer: '/total_tokens', expected: 'an integer of at least 0', actual: 'absent' },
  ]);
});

test('a choice between forms is one problem, however many forms there are', () => {
  expect(problemsOf('chat-request', { ...request, tool_choice: { type: 'function', function: {} } })).toEqual([
    {
      pointer: '/tool_choice',
      expected: 'one of "auto", "none", "required" or an object with type and function',
      actual: '{"type":"function","function":{}}',
    },
  ]);
});

test('a part that breaks two rules is one problem', () => {
  expect(problemsOf('chat-request', { ...request, max_tokens: -1.5 })).toHaveLength(1);
});

test('problems in different parts are all reported', () => {
  const pointers = problemsOf('chat-request', { temperature: 'warm', messages: [{ role: 'user' }] }).map(
    (problem) => problem.pointer,
  );
  expect(pointers.sort()).toEqual(['/messages/0/content', '/model', '/temperature']);
});

test('a value that is not there at all is absent', () => {
  expect(problemsOf('usage', undefined)).toMatchObject([{ pointer: '', actual: 'absent' }]);
});

describe('hostile values', () => {
  test.each(['__proto__', 'constructor', 'toString'])('a member called %s is a member like others', (name) => {
    expect(problemsOf('chat-request', JSON.parse(`{"${name}":{"model":"m","messages":[{}]}}`))).toMatchObject([
      { pointer: '/model', actual: 'absent' },
      { pointer: '/messages', actual: 'absent' },
    ]);
    expect(problemsOf('chat-request', JSON.parse(`{"model":"m","messages":[{"${name}":1}]}`))).toMatchObject([
      { pointer: '/messages/0/content', actual: 'absent' },
      { pointer: '/messages/0/role', actual: 'absent' },
    ]);
  });

  test('nesting of any depth is judged', () => {
    const depth = 100_000;
    const content: unknown = JSON.parse('['.repeat(depth) + ']'.repeat(depth));
    expect(problemsOf('chat-request', { ...request, messages: [{ role: 'user', content }] })).toEqual([
      {
        pointer: '/messages/0/content/0',
        expected: 'an object with type',
        actual: 'a value that is nested too deeply to be shown',
      },
    ]);
  });

  test('a hundred thousand problems are found in bounded time', () => {
    const stop = Array.from({ length: 100_000 }, () => 7);
    const started = performance.now();
    expect(problemsOf('chat-request', { ...request, stop })).toHaveLength(stop.length);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
