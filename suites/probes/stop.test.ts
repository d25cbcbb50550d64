import { describe, expect, test } from 'vitest';
import { Inconclusive, Violation } from '../expect.ts';
import { readReply } from '../reply.ts';
import { expectStopExcluded, expectStopped, expectStopReason, stopPiece } from './stop.ts';

const whole = 'one two three four';

/** An answer with that content, where the sequence to stop at is a piece of another. */
function seen(content: string, finish_reason = 'stop') {
  const text = JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason }] });
  const reply = readReply({
    kind: 'exchange',
    probe: 'a test',
    step: 0,
    request: { method: 'POST', path: '/chat/completions', credential: 'key', headers: [] },
    sentAt: 0,
    sentTime: 0,
    endedAt: 1,
    response: { status: 200, headers: [['content-type', 'application/json']], pieces: [{ at: 1, text }] },
  });
  return { piece: 'thr', whole, reply };
}

describe('the piece to stop at', () => {
  test.each(['one two three four', 'abc', 'aabc', 'x yyyyyyy', '\u0430\u0431 word \u0432'])(
    'of %j lies past the beginning, there first',
    (text) => {
      const piece = stopPiece(text) ?? '';
      expect(piece).not.toBe('');
      expect(piece.trim()).toBe(piece);
      expect(text.indexOf(piece)).toBeGreaterThan(0);
    },
  );

  test.each(['', 'a', 'aaaa', '     ', '\u0430\u0431\u0432\u0433'])('is none in %j', (text) => {
    expect(stopPiece(text)).toBeUndefined();
  });
});

describe('an answer with a stop sequence', () => {
  test.each(['one two ', 'one two', 'one two thr'])('is stopped when it reads %j', (content) => {
    expect(expectStopped(seen(content))).toBeUndefined();
    expect(expectStopReason(seen(content))).toBeUndefined();
  });

  test.each(['one two three four', 'one two three', 'one two thre'])('ran on when it reads %j', (content) => {
    expect(() => expectStopped(seen(content))).toThrow(Violation);
    expect(() => expectStopReason(seen(content))).toThrow(Inconclusive);
  });

  test.each(['something else', 'one', ''])('decides nothing when it reads %j', (content) => {
    expect(() => expectStopped(seen(content))).toThrow(Inconclusive);
  });

  test('breaks the exclusion when it ends with the sequence', () => {
    expect(() => expectStopExcluded(seen('one two thr'))).toThrow(Violation);
    expect(expectStopExcluded(seen('one two '))).toBeUndefined();
  });

  test('has the finish_reason stop', () => {
    expect(() => expectStopReason(seen('one two', 'length'))).toThrow(Violation);
  });
});
