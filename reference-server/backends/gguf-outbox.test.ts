import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Addressed, Outbox } from './gguf-outbox.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const text = (words: string) => ({ type: 'text', text: words }) as const;

function outbox() {
  const messages: (readonly Addressed[])[] = [];
  return { messages, box: new Outbox((events) => messages.push(events)) };
}

test('what comes within two milliseconds goes in one message, in order', () => {
  const { messages, box } = outbox();
  box.put(1, text('a'), false);
  vi.advanceTimersByTime(1);
  box.put(2, text('b'), false);
  expect(messages).toEqual([]);
  vi.advanceTimersByTime(1);
  const first = [
    [1, text('a')],
    [2, text('b')],
  ];
  expect(messages).toEqual([first]);
  box.put(1, text('c'), false);
  vi.advanceTimersByTime(2);
  expect(messages).toEqual([first, [[1, text('c')]]]);
});

test('what is urgent goes at once, after what was put before it, and once', () => {
  const { messages, box } = outbox();
  box.put(1, text('a'), false);
  box.put(2, text('b'), true);
  const sent = [
    [
      [1, text('a')],
      [2, text('b')],
    ],
  ];
  expect(messages).toEqual(sent);
  vi.runAllTimers();
  expect(messages).toEqual(sent);
});
