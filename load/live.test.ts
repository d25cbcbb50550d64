import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { emptyPulse } from './engine/pulse.ts';
import { openLiveView } from './live.ts';

function screen(properties: { isTTY?: boolean; columns?: number }) {
  let text = '';
  const stderr = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      text += chunk;
      done();
    },
  });
  return { stderr: Object.assign(stderr, properties), text: () => text };
}

const clearLine = '\r\u001b[K';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('a terminal sees what happens now, in one line that is rewritten', () => {
  const { stderr, text } = screen({ isTTY: true, columns: 100 });
  const view = openLiveView({ stderr });
  view.beat(emptyPulse(), '0 s of 60 s');
  vi.advanceTimersByTime(1_000);
  const pulse = { sent: 25, ended: 20, failed: 1, limited: 2, inFlight: 5, pieces: 300, ttftSum: 3_000, ttftCount: 15 };
  view.beat(pulse, '1 s of 60 s');
  view.end();
  const [, , line, rest] = text().split(clearLine);
  expect(line).toBe('1 s of 60 s  errors 1  429 2  in flight 5  25.0 req/s  ttft 200 ms  300.0 tokens/s');
  expect(rest).toBe('');
});

test('a line is no longer than its terminal', () => {
  const { stderr, text } = screen({ isTTY: true, columns: 20 });
  openLiveView({ stderr }).beat(emptyPulse(), 'a measurement that takes long');
  expect(text()).toBe(`${clearLine}a measurement that `);
});

test('a line that stays is broken at spaces where the terminal ends', () => {
  const { stderr, text } = screen({ isTTY: true, columns: 80 });
  const words = Array.from({ length: 20 }, (_, index) => `word${index}`).join(' ');
  openLiveView({ stderr }).say(words);
  const lines = text().replace(clearLine, '').trimEnd().split('\n');
  expect(lines.every((line) => line.length <= 80)).toBe(true);
  expect(lines.map((line) => line.trim()).join(' ')).toBe(words);
});

test('a wait is shown in the same line', () => {
  const { stderr, text } = screen({ isTTY: true, columns: 40 });
  const view = openLiveView({ stderr });
  view.show('44 s left to wait');
  view.say('checking paced');
  expect(text()).toBe(`${clearLine}44 s left to wait${clearLine}checking paced\n`);
});

test('elsewhere only lines that stay are written, and nothing where it is to be quiet', () => {
  const file = screen({});
  const view = openLiveView(file);
  view.say('measuring');
  view.beat(emptyPulse(), '0 s');
  view.end();
  expect(file.text()).toBe('measuring\n');
  const quiet = screen({ isTTY: true });
  const silent = openLiveView(quiet, true);
  silent.say('measuring');
  silent.beat(emptyPulse(), '0 s');
  silent.end();
  expect(quiet.text()).toBe('');
});
