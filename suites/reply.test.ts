import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { BodyPiece, Exchange } from '../specs/evidence.ts';
import { chunksOf } from './chunks.ts';
import { readReply } from './reply.ts';

function reply(headers: Readonly<Record<string, string>>, ...pieces: readonly (string | BodyPiece)[]) {
  const exchange: Exchange = {
    kind: 'exchange',
    probe: 'a test',
    step: 0,
    request: { method: 'GET', path: '/models', credential: 'key', headers: [] },
    sentAt: 0,
    sentTime: 0,
    endedAt: 9,
    response: {
      status: 200,
      headers: Object.entries(headers),
      pieces: pieces.map((piece, at) => (typeof piece === 'string' ? { at, text: piece } : piece)),
    },
  };
  return readReply(exchange);
}

const sse = { 'Content-Type': 'text/event-stream; charset=utf-8' };

test('headers are found in any case', () => {
  const seen = reply({ 'X-RateLimit-Limit': '5' });
  expect(seen.header('x-ratelimit-LIMIT')).toBe('5');
  expect(seen.header('x-other')).toBeUndefined();
});

test('a media type is read without its parameters', () => {
  expect(reply({ 'content-type': 'Application/JSON ; charset=utf-8' }).mediaType).toBe('application/json');
});

test('nothing that arrived reads as nothing', () => {
  const { response: _none, ...exchange } = reply({}).exchange;
  const failure = { kind: 'refused', message: 'connection refused' } as const;
  expect(readReply({ ...exchange, failure })).toMatchObject({
    status: 0,
    failure,
    text: '',
    json: undefined,
    events: [],
  });
});

describe('a stream', () => {
  test.each([
    ['labelled so', sse],
    ['with another label', { 'content-type': 'application/json' }],
    ['without a label', {}],
  ])('%s is read as events', (_name, headers) => {
    const seen = reply(headers, 'data: {"a":1}\n\n', 'data: [DONE]\n\n');
    expect(seen).toMatchObject({ isStream: true, json: undefined });
    expect(seen.events.map(({ data, at }) => [data, at])).toEqual([
      ['{"a":1}', 0],
      ['[DONE]', 1],
    ]);
  });

  test('of bare JSON lines under its label is a stream without events', () => {
    expect(reply(sse, '{"a":1}\n{"a":2}\n')).toMatchObject({ isStream: true, json: undefined, events: [] });
  });

  test('that is empty is one by its label', () => {
    expect(reply(sse)).toMatchObject({ isStream: true, events: [] });
  });

  test('gives its chunks as objects', () => {
    const seen = reply(sse, 'data: {"a":1}\n\ndata: 5\n\ndata: no\n\ndata: [1]\n\ndata: {"a":2}\n\ndata: [DONE]\n\n');
    expect(chunksOf(seen)).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test('that is compressed has one time for all', () => {
    const bytes = gzipSync('data: 1\n\ndata: 2\n\n');
    const pieces = [bytes.subarray(0, 9), bytes.subarray(9)].map((part, at) => ({
      at,
      base64: part.toString('base64'),
    }));
    const seen = reply({ ...sse, 'content-encoding': 'gzip' }, ...pieces);
    expect(seen.events).toEqual([
      { data: '1', at: 1 },
      { data: '2', at: 1 },
    ]);
  });
});

describe('one JSON body', () => {
  test('under the label of a stream is no stream', () => {
    expect(reply(sse, '{"a":1}')).toMatchObject({ isStream: false, json: { a: 1 }, events: [] });
  });

  test('that is not UTF-8 is not read', () => {
    const seen = reply({}, { at: 0, base64: Buffer.from('"\xff"', 'latin1').toString('base64') });
    expect(seen.json).toBeUndefined();
    expect(seen.bodyProblem).toContain('byte 1');
  });
});
