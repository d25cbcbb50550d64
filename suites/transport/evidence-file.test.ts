import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Delivery,
  type EvidenceHeader,
  type Exchange,
  evidenceFormat,
  type Unsent,
  type Wait,
} from '../../specs/evidence.ts';
import { openEvidenceFile, readEvidence } from './evidence-file.ts';
import { openLiveWire } from './live.ts';
import { openReplayWire } from './replay.ts';
import { BadEvidence, type WireRequest } from './wire.ts';

let folder = '';
let path = '';
const warnings: string[] = [];
const warn = (line: string) => warnings.push(line);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evidence-'));
  path = join(folder, 'run.jsonl');
  warnings.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

const about: Omit<EvidenceHeader, 'kind' | 'format'> = {
  tool: 'a tool 1.0.0',
  startedAt: '2026-04-01T12:00:00.000Z',
  options: { url: 'http://127.0.0.1/v1', profile: 'core', only: ['chat.*'], disabledKey: false },
};
const exchange: Exchange = {
  kind: 'exchange',
  probe: 'a test',
  step: 0,
  request: { method: 'GET', path: '/models', credential: 'key', headers: [['accept', 'a/b']] },
  sentAt: 1.5,
  sentTime: 1_700_000_000_000,
  headersAt: 2.125,
  endedAt: 3,
  response: {
    status: 200,
    headers: [['X-A', 'b']],
    pieces: [
      { at: 2, text: 'line\nend\u2028\ufeff' },
      { at: 3, base64: '/w==' },
    ],
  },
  failure: { kind: 'closed', message: 'closed' },
};
const delivery: Delivery = {
  kind: 'delivery',
  at: 4,
  time: 1_700_000_000_004,
  method: 'POST',
  path: '/hook',
  headers: [['webhook-id', 'a']],
  body: { at: 4, text: '{}' },
  answered: 200,
};
const wait: Wait = { kind: 'wait', probe: 'a test', step: 0, deliveries: 1 };
const unsent: Unsent = { kind: 'unsent', probe: 'a test', step: 1, reason: 'why' };
const headerLine = JSON.stringify({ kind: 'header', format: evidenceFormat, ...about });

describe('writing', () => {
  test('what is written reads back the same', () => {
    const file = openEvidenceFile(path, about, warn);
    file.write(exchange);
    file.write(unsent);
    file.write(delivery);
    file.write(wait);
    file.close();
    expect(readEvidence(path)).toEqual({
      header: { kind: 'header', format: evidenceFormat, ...about },
      lines: [exchange, unsent, delivery, wait],
      cutShort: false,
    });
    expect(warnings).toEqual([]);
  });

  test('a line is in the file at once', () => {
    const file = openEvidenceFile(path, about, warn);
    file.write(exchange);
    expect(readFileSync(path, 'utf8')).toBe(`${headerLine}\n${JSON.stringify(exchange)}\n`);
    file.close();
  });

  test('lines after the end go nowhere', () => {
    const file = openEvidenceFile(path, about, warn);
    file.close();
    file.write(exchange);
    file.close();
    expect(readEvidence(path).lines).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test('a place that cannot be written is an error before anything is sent', () => {
    const nowhere = join(folder, 'none', 'run.jsonl');
    expect(() => openEvidenceFile(nowhere, about, warn)).toThrow(BadEvidence);
    expect(() => openEvidenceFile(nowhere, about, warn)).toThrow(`written to ${nowhere}: no such file or directory`);
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk is told once and stops nothing', () => {
    const file = openEvidenceFile('/dev/full', about, warn);
    file.write(exchange);
    file.write(exchange);
    file.close();
    expect(warnings).toEqual(['the evidence in /dev/full is not whole: no space left on device']);
  });
});

describe('reading', () => {
  const read = (...lines: readonly string[]) => {
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
    return readEvidence(path);
  };

  test('a last line that was cut is left out, and said to be', () => {
    const file = openEvidenceFile(path, about, warn);
    file.write(exchange);
    file.close();
    appendFileSync(path, JSON.stringify(unsent).slice(0, 20));
    expect(readEvidence(path)).toMatchObject({ lines: [exchange], cutShort: true });
  });

  test('a file that is not there is told as such', () => {
    expect(() => readEvidence(path)).toThrow(`evidence cannot be read from ${path}: no such file or directory`);
  });

  const wrong = (change: object) => JSON.stringify({ ...exchange, ...change });
  test.each<[string, readonly string[], string]>([
    ['an empty file', [], 'does not begin with the header'],
    ['a file without its header', [JSON.stringify(exchange)], 'does not begin with the header'],
    ['two runs in one file', [headerLine, JSON.stringify(exchange), headerLine], 'holds a second header'],
    ['a line that is not JSON', [headerLine, '{"kind":'], 'line 2 is not JSON'],
    [
      'another format',
      [headerLine.replace('/1', '/2')],
      'line 1: the format is "stack29-evidence/2", and this version reads',
    ],
    [
      'a profile that is not known',
      [headerLine.replace('"core"', '"all"')],
      'line 1: /options/profile must be equal to one of',
    ],
    ['a kind that is not known', [headerLine, wrong({ kind: 'note' })], 'line 2: the line'],
    [
      'a member that is missing',
      [headerLine, wrong({ sentAt: undefined })],
      "line 2: the line must have required property 'sentAt'",
    ],
    [
      'a status in words',
      [headerLine, wrong({ response: { ...exchange.response, status: '200' } })],
      'line 2: /response/status must be integer',
    ],
    [
      'a header that is no pair',
      [headerLine, wrong({ request: { ...exchange.request, headers: [['a']] } })],
      '/request/headers/0',
    ],
    [
      'a delivery without its body',
      [headerLine, JSON.stringify({ ...delivery, body: undefined })],
      "line 2: the line must have required property 'body'",
    ],
    ['a list', [headerLine, '[]'], 'line 2: the line must be object'],
  ])('%s is told with its place', (_name, lines, message) => {
    expect(() => read(...lines)).toThrow(BadEvidence);
    expect(() => read(...lines)).toThrow(message);
  });

  test('members of a later version are let through', () => {
    expect(read(headerLine, wrong({ later: true })).lines).toHaveLength(1);
  });
});

test('a replay from a file gives what the live wire gave', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nX-A: é\r\ncontent-length: 9\r\n\r\n{"a":');
      setTimeout(() => socket.write(Buffer.from([0x22, 0xff, 0x22, 0x7d])), 20);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/v1`;
  const live = openLiveWire({
    baseUrl,
    key: 'sk-0123456789',
    timeoutMs: 2000,
    userAgent: 'test/1',
    startedAt: performance.now(),
  });
  const file = openEvidenceFile(path, about, warn);
  const requests = [0, 1, 2].map(
    (step): WireRequest => ({ probe: 'a test', step, method: 'GET', path: '/models', credential: 'key', headers: {} }),
  );
  const seen = await Promise.all(requests.map((request) => live.send(request)));
  seen.toReversed().forEach(file.write);
  file.close();
  server.close();
  const replay = openReplayWire(readEvidence(path).lines);
  expect(await Promise.all(requests.map((request) => replay.send(request)))).toEqual(seen);
  expect(seen[0]?.response?.pieces).toHaveLength(2);
});
