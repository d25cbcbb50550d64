import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { shippedPath } from '../fixtures/model/shipped.ts';
import { readyProfiles } from '../load/ready-profiles.ts';
import { scriptedBackend } from '../reference-server/backends/scripted.ts';
import type { Behaviour } from '../reference-server/behaviour.ts';
import { startServer } from '../reference-server/server.ts';
import { problemsOf } from '../specs/validate.ts';

/** Programs take their time to start on a busy machine. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const program = join(import.meta.dirname, '../dist/stack29-conformance.js');
const folder = mkdtempSync(join(tmpdir(), 'stack29-test-'));
const key = 'sk-a-secret-key';
const keysFile = join(folder, 'keys.json');
const servers: ChildProcess[] = [];
let url: string;

/** Starts the reference server as a user would, on text that needs no model. */
async function serve(...options: readonly string[]): Promise<string> {
  const server = fork(program, ['serve', '--port', '0', '--backend', 'scripted', '--keys', keysFile, ...options], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  servers.push(server);
  const [message] = await once(server, 'message');
  return message.url;
}

function start(...options: readonly string[]): ChildProcess {
  return startIn({}, ...options);
}

function startIn(environment: Readonly<Record<string, string>>, ...options: readonly string[]): ChildProcess {
  const env = { ...process.env, STACK29_API_KEY: key, ...environment };
  return spawn(process.execPath, [program, 'load', ...options], { env, stdio: 'pipe' });
}

/** A command as a terminal starts it, and a way to signal it and all that it started, as a terminal does. */
function startApart(...options: readonly string[]) {
  const env = { ...process.env, STACK29_API_KEY: key };
  const child = spawn(process.execPath, [program, 'load', ...options], { env, stdio: 'pipe', detached: true });
  const signalAll = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  };
  return { child, signalAll };
}

async function finish(child: ChildProcess) {
  const [stdout = '', stderr = ''] = await Promise.all(
    [child.stdout, child.stderr].map((stream) => (stream ? text(stream) : '')),
  );
  if (child.exitCode === null) await once(child, 'exit');
  expect(stdout + stderr).not.toContain('secret-key');
  return { code: child.exitCode, stdout, stderr, lastLine: stdout.trimEnd().split('\n').at(-1) };
}

const load = (...options: readonly string[]) => finish(start(...options));

const limits = { requestsPerMinute: 1e9, tokensPerDay: 1e12, concurrent: 1e6 };

/** The last line of a smoke run whose bounds were kept; on a busy machine it adds that the client was the limit. */
const passedSmoke = /^passed: smoke(, though the client was the limit: .*)?\n?$/;

/** Options of a run that does not end by itself. */
const endless = ['--rate', '40', '--duration', '600', '--warm-up', '0', '--format', 'json'];

/** A server that says when it has taken up so many chats. */
async function countingServer(chats: number, then: () => void) {
  let count = 0;
  const behaviour: Behaviour = {
    generation(generation) {
      count += 1;
      if (count === chats) then();
      return generation;
    },
  };
  const backend = scriptedBackend({ ttftMs: 20, tokensPerSecond: 200 });
  return startServer({ backend, keys: [{ key, limits, disabled: false }], behaviour });
}

beforeAll(async () => {
  if (!existsSync(program)) throw new Error('these tests run the built command: npm run build');
  writeFileSync(keysFile, JSON.stringify([{ key, tier: 'enterprise', limits }]));
  url = await serve('--ttft', '20', '--tokens-per-second', '200');
});

afterAll(() => {
  for (const server of servers) server.kill();
  rmSync(folder, { recursive: true });
});

describe('a usage error', () => {
  test.each<[what: string, options: readonly string[], words: string]>([
    ['an unknown profile', ['steadi'], 'the nearest is steady'],
    ['a profile that is not there', ['./nowhere.json'], 'the profile ./nowhere.json cannot be read'],
    ['an unknown option', ['smoke', '--ratee', '5'], 'Did you mean --rate?'],
    ['a rate and a concurrency', ['steady', '--rate', '5', '--concurrency', '5'], 'cannot be used with'],
    ['an unknown SLO', ['steady', '--slo', 'ttft95=5'], 'There is no ttft95; the nearest is'],
    ['an SLO without a number', ['steady', '--slo', 'ttft_p95'], 'ttft_p95=500'],
    ['a threshold of nothing', ['steady', '--threshold', 'errors<=1'], 'There is no errors'],
    ['a time that is none', ['steady', '--duration', 'soon'], '60, 90s, 5m or 2h'],
    [
      'an option that means nothing',
      ['tier-free', '--rate', '5'],
      '--rate means nothing to the tier profile tier-free',
    ],
    ['a URL without its scheme', ['smoke', '--url', 'localhost:3000/v1'], 'try http://localhost:3000/v1'],
    ['a report to nowhere', ['smoke', '--out', '/nowhere/report'], '--out /nowhere/report'],
    ['a comparison with nothing', ['compare', '/nowhere/a', '/nowhere/b'], '/nowhere/a cannot be read'],
    ['a pace of a model', ['smoke', '--backend', 'gguf', '--ttft', '5'], 'they need --backend scripted'],
    ['a model and scripted text', ['smoke', '--gguf', 'a.gguf', '--ttft', '5'], 'scripted text has none'],
    [
      'a model for a target of others',
      ['smoke', '--url', 'http://127.0.0.1:9/v1', '--gguf', 'a'],
      'cannot be used with',
    ],
    ['an unknown GPU', ['smoke', '--gpu', 'coda'], 'Allowed choices are auto, cuda, vulkan, metal, false.'],
    ['an option of the other target', ['smoke', '--url', 'http://127.0.0.1:9/v1', '--ttft', '5'], 'not of --url'],
  ])('is %s', async (_what, options, words) => {
    const { code, stdout, stderr } = await load(...options);
    expect(stderr).toContain(words);
    expect([code, stdout]).toEqual([2, '']);
  });

  test('is a profile of which a part is wrong, told by its place', async () => {
    const file = join(folder, 'bad.json');
    const profile = {
      kind: 'traffic',
      name: 'bad',
      description: '',
      arrival: { kind: 'poisson', rate: -3 },
      tokens: 5,
    };
    writeFileSync(file, JSON.stringify({ ...profile, workload: { promptTokens: 8, outputTokens: 8, transports: {} } }));
    const { code, stderr } = await load(file);
    expect(stderr).toContain('/arrival/rate must be a number from 0.001 to 1000000, and is -3');
    expect(stderr).toContain('/tokens is no member that is known there');
    expect(code).toBe(2);
  });

  test('is a key that the target refuses', async () => {
    const { code, stderr } = await load('smoke', '--url', url, '--api-key', 'sk-wrong');
    expect([code, stderr]).toEqual([2, expect.stringContaining('refuses the key (401)')]);
  });
});

describe('the exit code', () => {
  test('is 0 where every bound was kept, on the reference server that is started for it', async () => {
    const { code, lastLine, stderr } = await load('smoke');
    expect(stderr).toContain('no --url: starting the reference server');
    expect([code, lastLine]).toEqual([0, expect.stringMatching(passedSmoke)]);
  });

  test('is 0 for a GGUF model of the user, which the report tells by its name', async () => {
    const own = join(folder, 'own-model.gguf');
    cpSync(shippedPath, own);
    const { code, stdout } = await load('smoke', '--gguf', own, '--gpu', 'false', '--format', 'json');
    const description = 'the reference server on the GGUF model own-model.gguf with --gpu false';
    expect([code, JSON.parse(stdout).target]).toEqual([0, expect.objectContaining({ description })]);
  });

  test('is 4 for a model that is not there, with its reason in a line', async () => {
    const { code, stdout, stderr } = await load('smoke', '--gguf', '/nowhere.gguf', '--quiet');
    const words = 'cannot load the model /nowhere.gguf: the file cannot be opened (ENOENT)';
    expect([code, stdout, stderr]).toEqual([4, '', `error: the reference server did not start: ${words}\n`]);
  });

  test('is 99 where one was not', async () => {
    // One that no slowness of a busy machine puts in doubt.
    const { code, stdout, lastLine } = await load('smoke', '--url', url, '--threshold', 'requests_succeeded>=11');
    expect(stdout).toMatch(/CROSSED +requests_succeeded at least 11: 10$/m);
    expect([code, lastLine]).toEqual([99, 'crossed: 1 of 2 bounds of smoke']);
  });

  test('is 99 where nothing was measured that a bound is on', async () => {
    const { code, stdout } = await load('smoke', '--url', url, '--transport', 'json', '--slo', 'ttft_p95=9999');
    expect([code, stdout]).toEqual([99, expect.stringContaining('ttft_p95 at most 9999 ms: nothing was measured')]);
  });

  test('is 3 where a bound was kept by a client that was the limit, and the report says why', async () => {
    // A client that does something else for 40 ms of each 50.
    const busy = 'setInterval(() => { const end = Date.now() + 40; while (Date.now() < end); }, 50).unref()';
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(busy)}`;
    const options = ['smoke', '--url', url, '--requests', '30', '--threshold', 'goodput>=0.01'];
    const { code, stdout, lastLine } = await finish(startIn({ NODE_OPTIONS }, ...options));
    expect(stdout).toMatch(/IN DOUBT +goodput at least 0.01\/s: \d/);
    expect(stdout).toMatch(/kept +error_fraction at most 0: 0/);
    expect([code, lastLine]).toEqual([
      3,
      'incomplete: smoke, since the client was the limit, which leaves goodput in doubt',
    ]);
  });

  // A client that does something else for 2.5 s of each 3.
  const away = 'setInterval(() => { const end = Date.now() + 2500; while (Date.now() < end); }, 3000).unref()';
  const loadWhileAway = (...options: readonly string[]) => {
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(away)}`;
    const few = ['--rate', '30', '--warm-up', '0', '--duration', '4', '--tokens', '1'];
    return finish(startIn({ NODE_OPTIONS }, 'steady', '--url', url, ...few, ...options));
  };

  test('is 3 where requests were sent so late that the target was spared, whatever was kept', async () => {
    const { code, stdout, lastLine } = await loadWhileAway();
    expect(stdout).toMatch(
      /^the client was the limit, .* the client sent \d+ of \d+ requests late, by \d+ ms \(p99\)/m,
    );
    expect(stdout).toMatch(/IN DOUBT +error_fraction at most 0.01: 0/);
    expect([code, lastLine]).toEqual([3, expect.stringContaining('since the client was the limit')]);
  });

  test('is 99 where more were sent late than a threshold lets be', async () => {
    const { code, stdout, lastLine } = await loadWhileAway('--threshold', 'late_send_fraction<=0.01');
    expect(stdout).toMatch(/CROSSED +late_send_fraction at most 0.01: (0\.\d+|1)$/m);
    expect([code, lastLine]).toEqual([99, 'crossed: 1 of 3 bounds of steady']);
  });

  test('is 4 for a target that does not answer', async () => {
    const { code, stderr } = await load('smoke', '--url', 'http://127.0.0.1:9/v1');
    expect([code, stderr]).toEqual([4, expect.stringContaining('does not answer: connection refused')]);
  });

  test('is 4 for a target that dies midway, and what was measured is reported', async () => {
    const target = await countingServer(60, () => void target.close());
    const child = start('steady', '--url', target.url, ...endless);
    const { code, stdout } = await finish(child);
    const result = JSON.parse(stdout);
    expect([code, result.endedEarly, result.outcome]).toEqual([4, 'target gone', 'incomplete']);
    expect(result.requests.succeeded).toBeGreaterThan(0);
    expect(result.notes).toContain('the target stopped answering, so the run was ended');
  });

  test('is 2 where the report cannot be written, which then goes to standard output', async () => {
    const { code, stdout, stderr } = await load('smoke', '--url', url, '--format', 'csv', '--out', '/dev/full');
    expect(stderr).toContain('--out /dev/full could not be written');
    expect([code, stdout]).toEqual([2, expect.stringContaining('requests_succeeded,1,10')]);
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends at once with a report of what was measured', async (signal) => {
  const target = await countingServer(20, () => signalAll(signal));
  const { child, signalAll } = startApart('steady', '--url', target.url, ...endless);
  const { code, stdout } = await finish(child);
  await target.close();
  const result = JSON.parse(stdout);
  expect([code, result.endedEarly, result.requests.sent > 0]).toEqual([130, 'interrupted', true]);
  expect(problemsOf('load-result', result)).toEqual([]);
});

test('no process of a command outlives it, even when it is killed', async () => {
  const target = await countingServer(20, () => child.kill('SIGKILL'));
  const child = start('steady', '--url', target.url, ...endless);
  if (child.stderr === null) throw new Error('the command has no stderr');
  // It is open as long as one of them is there.
  expect(await text(child.stderr)).toContain('measuring');
  expect(child.signalCode).toBe('SIGKILL');
  await target.close();
});

describe('the report', () => {
  test('is a result as its schema says, without the key, and goes to its file whole', async () => {
    const out = join(folder, 'result.json');
    const { code, lastLine } = await load(
      'smoke',
      '--url',
      url,
      '--seed',
      '7',
      '--api-key',
      key,
      '--format',
      'json',
      '--out',
      out,
    );
    expect([code, lastLine]).toEqual([0, expect.stringMatching(passedSmoke)]);
    const written = readFileSync(out, 'utf8');
    const result = JSON.parse(written);
    expect(problemsOf('load-result', result)).toEqual([]);
    expect(result).toMatchObject({
      engine: 'embedded',
      seed: 7,
      requests: { sent: 10, succeeded: 10, failed: 0, limited: 0 },
      tokens: { prompt: 160, output: 80, countedBy: 'usage' },
      command: expect.stringContaining('load smoke --url'),
    });
    expect(written).not.toContain('secret-key');
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('is one line where it is to be quiet', async () => {
    const { stdout, stderr } = await load('smoke', '--url', url, '--quiet');
    expect([stdout, stderr]).toEqual([expect.stringMatching(passedSmoke), '']);
  });

  test('is a page', async () => {
    const { code, stdout } = await load('smoke', '--url', url, '--format', 'html');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^<!doctype html>.*uPlot.*<\/html>\n$/s)]);
  });
});

test('a proxy of the environment is not used, and the report says so', async () => {
  const environment = {
    HTTP_PROXY: 'http://127.0.0.1:9',
    http_proxy: 'http://127.0.0.1:9',
    NO_PROXY: '',
    no_proxy: '',
  };
  const words = 'the environment names a proxy for the target, which load does not use';
  const { code, stdout, stderr } = await finish(startIn(environment, 'smoke', '--url', url));
  expect([code, stdout, stderr]).toEqual([0, expect.stringContaining(words), expect.stringContaining(words)]);
  const without = await finish(startIn({ ...environment, NO_PROXY: '127.0.0.1' }, 'smoke', '--url', url));
  expect(without.stdout).not.toContain('proxy');
});

test('several processes send each request once, and what they measured is merged', async () => {
  const { code, stdout } = await load(
    'smoke',
    '--url',
    url,
    '--requests',
    '21',
    '--rate',
    '50',
    '--workers',
    '3',
    '--format',
    'json',
  );
  const result = JSON.parse(stdout);
  expect(problemsOf('load-result', result)).toEqual([]);
  // 3 where a busy machine sends some a second late.
  expect([0, 3]).toContain(code);
  expect([result.workers, result.requests.sent, result.metrics.e2e.count]).toEqual([3, 21, 21]);
  expect(result.tokens).toMatchObject({ prompt: 21 * 16, output: 21 * 8 });
});

test('a trace is replayed at its lengths', async () => {
  const lines = [
    { at: 0, promptTokens: 20, outputTokens: 3 },
    { at: 0.2, promptTokens: 10, outputTokens: 4 },
  ];
  writeFileSync(join(folder, 'trace.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
  const workload = { promptTokens: 1, outputTokens: 1, transports: { sse: 1 } };
  const arrival = { kind: 'trace', file: 'trace.jsonl' };
  const file = join(folder, 'replay.json');
  writeFileSync(file, JSON.stringify({ kind: 'traffic', name: 'replay', description: '', workload, arrival }));
  const { code, stdout } = await load(file, '--url', url, '--format', 'json');
  expect([code, JSON.parse(stdout).tokens]).toEqual([0, { prompt: 30, output: 7, countedBy: 'usage' }]);
});

test('the profiles are listed, and each is one', async () => {
  const { code, stdout } = await load('--list');
  expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([...Object.keys(readyProfiles), '']);
  for (const words of ['smoke  10 requests  a few', 'steady  65 s  independent', 'tier-free  about 6 min  whether']) {
    expect(stdout.replaceAll(/ {2,}/g, '  ')).toContain(words);
  }
  for (const profile of Object.values(readyProfiles)) expect(problemsOf('load-profile', profile)).toEqual([]);
  expect(code).toBe(0);
});
