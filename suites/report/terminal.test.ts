import { expect, test } from 'vitest';
import { exchange, sampleReport, sampleResult } from './sample-report.ts';
import { renderTerminal } from './terminal.ts';

const plain = (report = sampleReport()) => renderTerminal(report, { color: false });

test('a report with every verdict looks as agreed', async () => {
  await expect(plain()).toMatchFileSnapshot('golden/terminal.txt');
});

test('no line but those of a command is longer than 80 columns', () => {
  const long = 'word '.repeat(60);
  const report = sampleReport([
    sampleResult('chat.response.id', 'fail', {
      statement: long,
      findings: [
        {
          subject: long,
          expected: [long],
          actual: 'x'.repeat(300),
          exchange: {
            ...exchange,
            response: { status: 500, headers: [['x', long]], body: `${'{'.repeat(500)}\n${long}` },
          },
        },
      ],
      findingsTotal: 1,
    }),
    sampleResult('chat.response.object', 'inconclusive', { reason: long }),
  ]);
  const lines = plain(report).split('\n');
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

test('no control character of a target reaches the terminal', () => {
  expect(plain()).toContain('\\u001b[2J');
  expect(plain()).toMatch(/^[\P{C}\n]*$/u);
});

test('a passed run is its head, its areas and its outcome', () => {
  const report = sampleReport([sampleResult('chat.response.id', 'pass')], { outcome: 'conformant', dialect: {} });
  expect(plain(report).split('\n\n').slice(1)).toEqual([
    'chat      1 passed',
    'conformant to profile standard: 1 passed\n',
  ]);
});

test('colour is given when it is asked for', () => {
  expect(renderTerminal(sampleReport(), { color: true })).toContain('\u001b[31mFAIL\u001b[39m');
});

test('a part of a profile is never called the profile', () => {
  expect(plain(sampleReport([], { only: ['chat.*'], outcome: 'conformant' }))).toContain(
    'conformant to the selected part of profile standard',
  );
});

test('an exchange that broke several requirements is shown once', () => {
  expect(plain().match(/> POST/g)).toHaveLength(1);
});

test('a long body and many headers are cut', () => {
  const headers = Array.from({ length: 40 }, (_, index) => [`x-${index}`, 'y'] as const);
  const finding = {
    subject: 'status',
    expected: ['200'],
    actual: '500',
    exchange: { ...exchange, response: { status: 500, headers, body: 'line\n'.repeat(1000) } },
  };
  const text = plain(
    sampleReport([sampleResult('chat.response.status', 'fail', { findings: [finding], findingsTotal: 1 })]),
  );
  expect(text).toContain('… 28 more headers');
  expect(text.split('\n').length).toBeLessThan(60);
});
