import { describe, expect, test } from 'vitest';
import { CallReader, callText, markedCall, type SpokenPart } from './call-reader.ts';

const names = new Set(['add', 'say']);

/** What is read of a text that comes in pieces of a length: text, and calls with their joined arguments. */
function read(text: string, { forced = false, most = 9, step = 1 } = {}) {
  const reader = new CallReader({ names, forced, most });
  const parts: SpokenPart[] = [];
  for (let at = 0; at < text.length; at += step) parts.push(...reader.read(text.slice(at, at + step)));
  parts.push(...reader.end());
  const calls: [string, string][] = [];
  let said = '';
  for (const part of parts) {
    if (part.type === 'text') said += part.text;
    if (part.type === 'call') calls[part.index] = [part.name, ''];
    const call = part.type === 'arguments' ? calls[part.index] : undefined;
    if (call && part.type === 'arguments') call[1] += part.text;
  }
  return { said, calls, parts, begun: reader.calls };
}

const tricky = '{"a": "}\\"]{\\\\", "b": [{"c": {}}], "d": "</tool_call>"}';

describe.each([1, 2, 7, 1000])('in pieces of %i', (step) => {
  test('text without calls passes as it is', () => {
    const text = 'a < b, <tool, <tool_cal and <tool_call end';
    expect(read(text, { step })).toMatchObject({ said: text, calls: [] });
  });

  test('calls between marks are read, and what is around them is text', () => {
    const text = `I add.\n${markedCall('add', tricky)}\n${markedCall('say', '{}')} Done.`;
    const { said, calls } = read(text, { step });
    expect(calls).toEqual([
      ['add', tricky],
      ['say', '{}'],
    ]);
    expect(said.replaceAll(/\s+/g, ' ')).toBe('I add. Done.');
  });

  test('a forced call is the whole text', () => {
    expect(read(callText('add', tricky), { step, forced: true })).toMatchObject({ said: '', calls: [['add', tricky]] });
  });

  test('several forced calls follow each other', () => {
    const text = `${callText('add', '{"a":1}')}\n${callText('say', tricky)}`;
    expect(read(text, { step, forced: true }).calls).toEqual([
      ['add', '{"a":1}'],
      ['say', tricky],
    ]);
  });

  test('members in another order, or under another name, are read too', () => {
    const text =
      '<tool_call>{"arguments": {"a": 1}, "name": "add"}</tool_call><tool_call>{"name":"say","parameters":{}}</tool_call>';
    expect(read(text, { step }).calls).toEqual([
      ['add', '{"a":1}'],
      ['say', '{}'],
    ]);
  });

  test.each([
    markedCall('unknown', '{}'),
    '<tool_call>not JSON</tool_call> and more',
    '<tool_call>{"name": "add", "argu',
    `<tool_call>${'x'.repeat(2000)}`,
  ])('what is no call stays text: %s', (text) => {
    expect(read(text, { step })).toMatchObject({ said: text, calls: [] });
  });

  test('a call that is cut keeps what it has', () => {
    expect(read('{"name": "add", "arguments": {"a": "x', { step, forced: true })).toMatchObject({
      said: '',
      calls: [['add', '{"a": "x']],
      begun: 1,
    });
  });

  test('calls beyond the bound are dropped', () => {
    const text = [1, 2].map((a) => markedCall('add', `{"a":${a}}`)).join('');
    expect(read(text, { step, most: 1 }).calls).toEqual([['add', '{"a":1}']]);
  });
});

test('arguments come while they are written, and every call has an id of its own', () => {
  const { parts } = read(`${markedCall('add', '{"a":1}')}${markedCall('add', '{"a":1}')}`);
  expect(parts.filter(({ type }) => type === 'arguments').length).toBeGreaterThan(4);
  const ids = parts.flatMap((part) => (part.type === 'call' ? [part.id] : []));
  expect(new Set(ids).size).toBe(2);
  expect(ids[0]).toMatch(/^call_[0-9a-f]{32}$/);
});
