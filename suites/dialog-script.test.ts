import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scriptedBackend } from '../reference-server/backends/scripted.ts';
import { keyOfTier } from '../reference-server/keys/key-entries.ts';
import { type RunningServer, startServer } from '../reference-server/server.ts';
import type { DialogStep, RecordedRequest } from '../specs/evidence.ts';
import { reproduceDialog } from './dialog-script.ts';

const key = 'sk-dialog-script';
let server: RunningServer;

beforeAll(async () => {
  server = await startServer({ backend: scriptedBackend(), keys: [keyOfTier(key, 'free')] });
});
afterAll(() => server.close());

const start = (members: object = {}) =>
  JSON.stringify({
    type: 'start',
    model: 'stack29/scripted',
    messages: [{ role: 'user', content: "it's \\n $HOME" }],
    max_tokens: 2,
    ...members,
  });

/** What the script for another client prints, run by a shell. */
async function runScript(request: Partial<RecordedRequest>): Promise<string> {
  const script = reproduceDialog(
    'websocket.start.done',
    { method: 'GET', path: '/ws/chat', credential: 'key', headers: [], ...request },
    { url: server.url, profile: 'websocket', only: [], disabledKey: false },
  );
  expect(script).not.toContain(key);
  expect(script).toContain(`npx stack29-conformance --url '${server.url}' --profile websocket --only websocket.start`);
  const [, other = ''] = script.split('# or, with another client:\n');
  const { stdout } = await promisify(execFile)('sh', ['-c', other], {
    env: { ...process.env, STACK29_API_KEY: key },
    timeout: 30_000,
  });
  return stdout;
}

test('a dialog is said again by a public client', { timeout: 40_000 }, async () => {
  const soon = { await: ['done'], withinMs: 1000 } as const;
  const dialog = (text: string): DialogStep[] => [{ send: text }, soon, { send: '{"type":"ping"}' }, soon];
  const printed = await Promise.all([
    runScript({ dialog: dialog(start()) }),
    runScript({ dialog: dialog(start({ api_key: '$STACK29_API_KEY' })) }),
    runScript({ dialog: dialog(start()), path: '/ws/chat?api_key=$STACK29_API_KEY' }),
  ]);
  for (const text of printed) expect(text).toMatch(/"content".*"content".*"done".*"pong"/s);
  const refused = await Promise.all([
    runScript({ dialog: dialog(start()), credential: 'none' }),
    runScript({ dialog: dialog(start({ api_key: '$STACK29_API_KEY' })), credential: 'unknown' }),
  ]);
  for (const text of refused) expect(text).toMatch(/"error".*"invalid_api_key"/s);
});

test('what the client cannot send is told', () => {
  const script = reproduceDialog(
    'websocket.message.binary',
    { method: 'GET', path: '/ws/chat', credential: 'key', headers: [], dialog: [{ sendBinary: '{}' }] },
    { url: 'https://example.com/v1', profile: 'full', only: [], model: 'a b', disabledKey: false },
  );
  expect(script).toContain('# here the suite sends a binary message, which wscat cannot: {}');
  expect(script).toContain("--model 'a b'");
  expect(script).toContain("--connect 'wss://example.com/v1/ws/chat'");
});
