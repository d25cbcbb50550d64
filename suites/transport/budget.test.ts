import { expect, test } from 'vitest';
import type { Exchange } from '../../specs/evidence.ts';
import { readReply } from '../reply.ts';
import { estimateTokens, spentTokens } from './budget.ts';
import type { WireRequest } from './wire.ts';

const request = (body: string | undefined, more: Partial<WireRequest> = {}): WireRequest => ({
  probe: 'a test',
  step: 0,
  method: 'POST',
  path: '/chat/completions',
  credential: 'key',
  headers: {},
  ...(body !== undefined && { body }),
  ...more,
});

test.each([
  ['{"max_tokens":16}', 17 + 16],
  ['{"messages":"é"}', 17 + 1000],
  ['{"max_tokens":-5}', 17 + 1000],
  ['{"max_tokens":"9"}', 18 + 1000],
  ['{"url":"data:image/png;base64,AAAA","max_tokens":9}', 25 + 1000 + 9],
  ['not JSON', 0],
  [undefined, 0],
])('%s may take %i tokens', (body, tokens) => {
  expect(estimateTokens(request(body))).toBe(tokens);
});

test('only a chat takes tokens', () => {
  expect(estimateTokens(request('{}', { path: '/models' }))).toBe(0);
  expect(estimateTokens(request('{}', { method: 'PUT' }))).toBe(0);
});

function reply(status: number, text: string) {
  const exchange: Exchange = {
    kind: 'exchange',
    probe: 'a test',
    step: 0,
    request: { method: 'POST', path: '/chat/completions', credential: 'key', headers: [] },
    sentAt: 0,
    sentTime: 0,
    endedAt: 1,
    ...(status > 0 && { response: { status, headers: [], pieces: [{ at: 0, text }] } }),
  };
  return readReply(exchange);
}

test.each([
  ['the usage of a completion', 200, '{"usage":{"total_tokens":7}}', 7],
  [
    'the last usage of a stream',
    200,
    'data: {"usage":{"total_tokens":3}}\n\ndata: {"usage":{"total_tokens":9}}\n\ndata: {}\n\n',
    9,
  ],
  ['the estimate where a stream has none', 200, 'data: {}\n\ndata: [DONE]\n\n', 50],
  ['the estimate where usage is no number', 200, '{"usage":{"total_tokens":"7"}}', 50],
  ['the estimate where usage is below nothing', 200, '{"usage":{"total_tokens":-7}}', 50],
  ['the estimate where no response arrived', 0, '', 50],
  ['nothing for a refusal', 400, '{"error":{}}', 0],
])('what is spent is %s', (_name, status, text, spent) => {
  expect(spentTokens(reply(status, text), 50)).toBe(spent);
});
