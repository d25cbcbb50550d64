import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { scriptedBackend } from '../reference-server/backends/scripted.ts';
import { keyOfTier } from '../reference-server/keys/key-entries.ts';
import { startServer } from '../reference-server/server.ts';
import type { SocketBehaviour } from '../reference-server/websocket/socket-behaviour.ts';
import type { DialogStep, RecordedRequest } from '../specs/evidence.ts';
import { reproduceDialog } from './dialog-script.ts';

const key = 'sk-dialog-script';

const start = (members: object = {}) =>
  JSON.stringify({
    type: 'start',
    model: 'stack29/scripted',
    messages: [{ role: 'user', content: "it's \\n $HOME" }],
    max_tokens: 2,
    ...members,
  });

const options = { profile: 'websocket', only: [], disabledKey: false } as const;

/** What the script for another client prints, run by a shell. */
async function runScript(request: Partial<RecordedRequest>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'stack29-test-'));
  const opened = join(folder, 'opened');
  const head: SocketBehaviour['head'] = (headers) => {
    writeFileSync(opened, '');
    return headers;
  };
  const keys = [keyOfTier(key, 'free')];
  const server = await startServer({ backend: scriptedBackend(), keys, behaviour: { socket: { head } } });
  const script = reproduceDialog(
    'websocket.start.done',
    { method: 'GET', path: '/ws/chat', credential: 'key', headers: [], ...request },
    { ...options, url: server.url },
  );
  expect(script).not.toContain(key);
  expect(script).toContain(`npx stack29-conformance --url '${server.url}' --profile websocket --only websocket.start`);
  const [, other = ''] = script.split('# or, with another client:\n');
  // However long the client takes to start here, no wait ends before its socket is open.
  const wait = 'sleep() { until [ -e "$OPENED" ]; do command sleep 0.1; done; command sleep 1; }';
  try {
    const { stdout } = await promisify(execFile)('sh', ['-c', `${wait}\n${other}`], {
      env: { ...process.env, STACK29_API_KEY: key, OPENED: opened },
      timeout: 30_000,
    });
    return stdout;
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

test('a dialog is said again by a public client', { timeout: 40_000 }, async () => {
  const soon = { await: ['done'] } as const;
  const dialog = (text: string): DialogStep[] => [{ send: text }, soon, { send: '{"type":"ping"}' }, soon];
  const printed = await Promise.all([
    runScript({ dialog: dialog(start()) }),
    runScript({ dialog: dialog(start({ api_key: '$STACK29_API_KEY' })) }),
    runScript({ dialog: dialog(start()), path: '/ws/chat?api_key=$STACK29_API_KEY' }),
  ]);
  for (const text of printed) {
    expect(text).toMatch(/"content".*"content".*"done"/s);
    expect(text).toContain('{"type":"pong"}');
  }
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
    { ...options, url: 'https://example.com/v1', model: 'a b' },
  );
  expect(script).toContain('# here the suite sends a binary message, which wscat cannot: {}');
  expect(script).toContain("--model 'a b'");
  expect(script).toContain("--connect 'wss://example.com/v1/ws/chat'");
});

test('the key of another account is read from its own variable', () => {
  const request = { method: 'GET', path: '/ws/chat?api_key=$STACK29_API_KEY', headers: [] } as const;
  const scriptFor = (credential: RecordedRequest['credential']) =>
    reproduceDialog('limits.shared.tokens', { ...request, credential }, { ...options, url: 'http://127.0.0.1:1/v1' });
  expect(scriptFor('exhausted')).toContain(`api_key='"$STACK29_EXHAUSTED_KEY"''`);
  expect(scriptFor('disabled')).toContain(`api_key='"$STACK29_DISABLED_KEY"''`);
  expect(scriptFor('key')).toContain(`api_key='"$STACK29_API_KEY"''`);
});
