import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ApiError } from '../../reference-server/api-error.ts';
import { scriptedBackend } from '../../reference-server/backends/scripted.ts';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import { changed, inBody, inChunk } from '../../reference-server/change.ts';
import { keyOfTier } from '../../reference-server/keys/key-entries.ts';
import { startServer } from '../../reference-server/server.ts';
import type { EvidenceLine, RecordedLine, RunOptions } from '../../specs/evidence.ts';
import { runLive } from '../live-run.ts';
import { renderJson } from '../report/json.ts';
import { run } from '../run.ts';
import { tool } from '../tool.ts';
import { openReplayWire } from '../transport/replay.ts';
import { replayClients } from './client-runner.ts';
import { limitFor, liveClients } from './live-clients.ts';

const key = 'sk-the-key-of-the-target';
const exhaustedKey = 'sk-the-used-up-key-of-the-target';
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

async function judge(
  only: readonly string[],
  behaviour: Behaviour = {},
  python?: string,
  changes: Partial<RunOptions> = {},
) {
  const backend = scriptedBackend();
  const keys = [keyOfTier(key, 'free'), { ...keyOfTier(exhaustedKey, 'free'), tokensUsed: 100_000 }];
  const server = await startServer({ backend, keys, behaviour });
  const options: RunOptions = { url: server.url, profile: 'clients', only, disabledKey: false, ...changes };
  const startedAt = new Date().toISOString();
  const lines: RecordedLine[] = [];
  const record = (line: EvidenceLine) => {
    if (line.kind !== 'header') lines.push(line);
  };
  const settings = {
    options,
    key,
    exhaustedKey,
    disabledKey: undefined,
    timeoutMs: 15_000,
    concurrency: 4,
    startedAt,
    record,
  };
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
  expect(live.results.map(({ verdict }) => verdict)).toEqual(Array.from({ length: 8 }, () => 'pass'));
  expect(lines.filter(({ kind }) => kind === 'exchange')).toHaveLength(2 + 7 + 4);
  expect(JSON.stringify(lines)).not.toContain(key);
});

test('what breaks a client is shown with the exchange that broke it', async () => {
  const cut: Behaviour = { frame: (data) => (data === '[DONE]' ? '' : `data: ${data.slice(0, -1)}\n\n`) };
  const { live } = await judge(['clients.openai-js.stream'], cut);
  expect(live.results[0]).toMatchObject({ verdict: 'fail', findings: [{ subject: 'what openai-js makes of it' }] });
  expect(live.results[0]?.findings[0]?.reproduce).toContain('curl -iNg');
});

test('a run out of requests is told, and is no verdict', async () => {
  const { live } = await judge(['clients.openai-js.*'], {}, undefined, { maxRequests: 6 });
  expect(live.results.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'inconclusive', 'pass']);
  expect(live.results[2]?.reason).toContain('--max-requests');
});

test('a machine without curl is told what to give', async () => {
  const { PATH } = process.env;
  vi.stubEnv('PATH', folder);
  const { live } = await judge(['clients.curl.*']).finally(() => vi.stubEnv('PATH', PATH));
  expect(new Set(live.results.map(({ verdict }) => verdict))).toEqual(new Set(['inconclusive']));
  expect(live.results[0]?.reason).toContain('exit code 1: needs curl on the PATH');
});

/** An interpreter that has the package openai, of whatever version. */
const { STACK29_PYTHON } = process.env;

test.runIf(STACK29_PYTHON !== undefined)('a message is read as it is, whatever stands in it', async () => {
  const quoted: Behaviour = {
    answer: (answer) =>
      answer.kind === 'error'
        ? { ...answer, body: changed(answer.body, '/error/message', `it's "no",\n\\ nó`) }
        : answer,
  };
  const { live } = await judge(['clients.openai-python.errors'], quoted, STACK29_PYTHON);
  expect(live.results.map(({ verdict }) => verdict)).toEqual(['pass']);
});

describe('the key that is used up', () => {
  const only = ['clients.openai-js.rate-limit'];

  test('shows the class for a limit, and is in no evidence', async () => {
    const { live, lines } = await judge(only, {}, undefined, { profile: 'full', exhaustedKey: true });
    expect(live.results.map(({ verdict }) => verdict)).toEqual(['pass']);
    expect(JSON.stringify(lines)).toContain('"credential":"exhausted"');
    expect(JSON.stringify(lines)).not.toContain(exhaustedKey);
  });

  test('is asked for where it is not given, and nothing is sent in its place', async () => {
    const { live, lines } = await judge(only, {}, undefined, { profile: 'full' });
    expect(live.results[0]).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('--exhausted-key'),
    });
    expect(lines.filter(({ kind }) => kind === 'exchange')).toHaveLength(2 + 7);
  });

  test('that is refused as a key shows nothing of limits', async () => {
    const disabled = new ApiError('account_disabled', 'the account is disabled');
    const refuse: Behaviour = { decide: (refusal, step) => (step === 'tokens' && refusal ? disabled : refusal) };
    const { live } = await judge(only, refuse, undefined, { profile: 'full', exhaustedKey: true });
    expect(live.results[0]).toMatchObject({ verdict: 'inconclusive', reason: expect.stringContaining('403') });
  });
});

describe('a forced call', () => {
  const bodies = (lines: readonly RecordedLine[]) =>
    lines.flatMap((line) => (line.kind === 'exchange' ? [line.request.body ?? ''] : []));

  test.each<[string, Behaviour, Partial<RunOptions>]>([
    ['is said to lack tools', {}, { without: ['tools'] }],
    ['declares that it has none', inBody('models', '/data/0/capabilities/tools', false), {}],
  ])('is not asked of a target that %s', async (_, behaviour, changes) => {
    const { live, lines } = await judge(['clients.openai-js.*', 'clients.curl.*'], behaviour, undefined, changes);
    const apart = live.results.filter(({ verdict }) => verdict !== 'pass');
    expect(apart.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      'clients.openai-js.tools not-applicable',
      'clients.curl.tools not-applicable',
    ]);
    expect(bodies(lines).filter((body) => body.includes('write_file'))).toEqual([]);
  });

  test('is asked for in one body alone where the target does not stream', async () => {
    const { live, lines } = await judge(['clients.openai-js.*'], {}, undefined, { without: ['streaming'] });
    expect(live.results.map(({ verdict }) => verdict)).toEqual(['pass', 'not-applicable', 'pass', 'pass']);
    expect(bodies(lines).filter((body) => body.includes('"stream":true'))).toEqual([]);
  });

  test('that max_tokens cuts off decides nothing', async () => {
    const cut: Behaviour = { generation: (generation) => ({ ...generation, maxTokens: 3 }) };
    const { live } = await judge(['clients.openai-js.tools'], cut);
    expect(live.results[0]).toMatchObject({ verdict: 'inconclusive', reason: expect.stringContaining('--model') });
  });

  test('is judged by what the client makes of it', async () => {
    const scattered = inChunk('/choices/0/delta/tool_calls', (pieces: readonly object[] | undefined) =>
      pieces?.map((piece) => ({ ...piece, index: 'id' in piece ? 0 : 1 })),
    );
    const { live } = await judge(['clients.openai-js.tools'], scattered);
    expect(live.results[0]?.verdict).toBe('warn');
  });
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

  test('has as long as its cases may take, within bounds', () => {
    expect([limitFor(8, 60_000), limitFor(2, 1_000), limitFor(8, 3_600_000)]).toEqual([540_000, 62_000, 3_600_000]);
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
