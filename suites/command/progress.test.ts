import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { narrate } from './progress.ts';

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

test('a terminal sees one line, rewritten, no longer than itself, and taken away at the end', () => {
  const { stderr, text } = screen({ isTTY: true, columns: 20 });
  const narrator = narrate({ stderr }, 'probes');
  narrator.advance({ done: 1, total: 2, last: 'a plain completion' });
  narrator.end();
  expect(text()).toBe('\r\u001b[K1 of 2 probes: a pl\r\u001b[K');
});

test('a line that stays replaces the rewritten one', () => {
  const { stderr, text } = screen({ isTTY: true });
  narrate({ stderr }, 'probes').say('waiting');
  expect(text()).toBe('\r\u001b[Kwaiting\n');
});

test('elsewhere there is a line for each quarter, without control characters', () => {
  const { stderr, text } = screen({});
  const narrator = narrate({ stderr }, 'probes');
  for (let done = 1; done <= 10; done += 1) narrator.advance({ done, total: 10, last: 'p' });
  narrator.end();
  expect(text()).toBe('3 of 10 probes\n5 of 10 probes\n8 of 10 probes\n10 of 10 probes\n');
});

test('who wants quiet hears nothing', () => {
  const { stderr, text } = screen({ isTTY: true });
  const narrator = narrate({ stderr }, 'probes', true);
  narrator.say('a');
  narrator.advance({ done: 1, total: 1, last: 'p' });
  narrator.end();
  expect(text()).toBe('');
});
