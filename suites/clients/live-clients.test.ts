import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { scriptedBackend } from '../../reference-server/backends/scripted.ts';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import { keyOfTier } from '../../reference-server/keys/key-entries.ts';
import { startServer } from '../../reference-server/server.ts';
import type { EvidenceLine, RecordedLine, RunOptions } from '../../specs/evidence.ts';
import { runLive } from '../live-run.ts';
import { renderJson } from '../report/json.ts';
import { run } from '../run.ts';
import { tool } from '../tool.ts';
import { openReplayWire } from '../transport/replay.ts';
import { replayClients } from './client-runner.ts';
import { liveClients } from './live-clients.ts';

const key = 'sk-the-key-of-the-target';
const task = { client: 'langchain', model: 'a', cases: ['chat'] } as const;
const folder = mkdtempSync(join(tmpdir(), 'stack29-test-'));

beforeAll(() => vi.stubEnv('STACK29_API_KEY', key));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** A program that takes the place of the Python interpreter. */
function interpreter(name: string, lines: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${lines}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function judge(only: readonly string[], behaviour: Behaviour = {}, python?: string, bounds = {}) {
  const backend = scriptedBackend();
  const server = await startServer({ backend, keys: [keyOfTier(key, 'free')], behaviour });
  const options: RunOptions = { url: server.url, profile: 'clients', only, disabledKey: false, ...bounds };
  const startedAt = new Date().toISOString();
  const lines: RecordedLine[] = [];
  const record = (line: EvidenceLine) => {
    if (line.kind !== 'header') lines.push(line);
  };
  const settings = { options, key, disabledKey: undefined, timeoutMs: 15_000, concurrency: 4, startedAt, record };
  try {
    const clients = liveClients({ python, limitMs: 15_000 });
    const live = await runLive({ ...settings, clients });
    const recorded = replayClients(lines.filter((line) => line.kind === 'client'));
    const again = await run({ options, wire: openReplayWire(lines), clients: recorded, tool, startedAt });
    expect(renderJson(again)).toBe(renderJson(live));
    return { live, lines };
  } finally {
    await server.close();
  }
}

test('the clients of this machine are judged, and judged again from evidence that holds no key', async () => {
  const { live, lines } = await judge(['clients.openai-js.*', 'clients.curl.*']);
  expect(live.results.map(({ verdict }) => verdict)).toEqual(Array.from({ length: 7 }, () => 'pass'));
  expect(lines.filter(({ kind }) => kind === 'exchange')).toHaveLength(2 + 5 + 4);
  expect(JSON.stringify(lines)).not.toContain(key);
});

test('what breaks a client is shown with the exchange that broke it', async () => {
  const cut: Behaviour = { frame: (data) => (data === '[DONE]' ? '' : `data: ${data.slice(0, -1)}\n\n`) };
  const { live } = await judge(['clients.openai-js.stream'], cut);
  expect(live.results[0]).toMatchObject({ verdict: 'fail', findings: [{ subject: 'what openai-js makes of it' }] });
  expect(live.results[0]?.findings[0]?.reproduce).toContain('curl -iNg');
});

test('a run out of requests is told, and is no verdict', async () => {
  const { live } = await judge(['clients.openai-js.*'], {}, undefined, { maxRequests: 4 });
  expect(live.results.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'inconclusive']);
  expect(live.results[2]?.reason).toContain('--max-requests');
});

describe('a program in the place of the interpreter', () => {
  const outcome = async (python: string | undefined) => {
    const { live } = await judge(['clients.langchain.chat'], {}, python);
    return live.results[0];
  };

  test.each<[what: string, python: string | undefined, words: string]>([
    ['that is not given', undefined, 'name its interpreter with --python'],
    ['that is not there', '/nowhere/python', 'cannot be started'],
    [
      'that fails',
      interpreter('fails', 'echo "ModuleNotFoundError: openai" >&2; exit 1'),
      'ModuleNotFoundError: openai',
    ],
    ['that sends nothing', interpreter('idle', 'echo "{}"'), 'sent no request'],
    ['that floods', interpreter('floods', 'yes'), 'printed without end'],
    ['that claims what was not sent', interpreter('lies', `echo '{"case":"chat","content":"a"}'`), 'sent no request'],
  ])('%s decides nothing, and says why', async (_, python, words) => {
    expect(await outcome(python)).toMatchObject({ verdict: 'inconclusive', reason: expect.stringContaining(words) });
  });

  test('that never ends is ended, with what it started', async () => {
    const clients = liveClients({ python: interpreter('sleeps', 'sleep 600'), limitMs: 200 });
    const told = await clients.run('a test', task, () => Promise.reject(new Error('not asked')));
    expect(told.problem).toContain('did not end within 0.2 seconds');
  });

  test('sees neither keys nor settings of the user', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'https://example.com');
    const python = interpreter(
      'tells',
      `printf '{"case":"chat","content":"%s"}\\n' "$(env | cut -c1-80 | tr '\\n' ' ')"`,
    );
    const { facts } = await liveClients({ python }).run('a test', task, () => Promise.reject(new Error()));
    expect(facts[0]?.content).toContain('STACK29_BASE=http://127.0.0.1:');
    expect(facts[0]?.content).not.toContain(key);
    expect(facts[0]?.content).not.toContain('example.com');
  });
});
