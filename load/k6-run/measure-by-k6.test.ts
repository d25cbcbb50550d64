import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import { problemsOf } from '../../specs/validate.ts';
import type { LoadProfile, TierProfile } from '../../specs/wire.ts';
import { secondKey, startTarget, unlimited } from '../engine/test-rig.ts';
import { standIn, trafficOf } from '../k6/stand-in/test-rig.ts';
import { interruptingTarget, key, load } from './test-rig.ts';

vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'stack29-test-'));
const file = (name: string) => join(folder, name);

/** An executable called k6 that runs the stand-in. */
const k6 = file('k6');

beforeAll(() => {
  writeFileSync(k6, `#!/bin/sh\nexec '${process.execPath}' '${standIn}' "$@"\n`, { mode: 0o755 });
});

afterAll(() => rmSync(folder, { recursive: true }));

let profiles = 0;

function profileFile(profile: LoadProfile): string {
  profiles += 1;
  const path = file(`profile-${profiles}.json`);
  writeFileSync(path, JSON.stringify(profile));
  return path;
}

function tierFile(limits: TierProfile['limits'], checks: TierProfile['checks']): string {
  const workload = { promptTokens: 8, outputTokens: 1, transports: { json: 1 } };
  return profileFile({ kind: 'tier', name: 'trial', description: '', workload, tier: 'enterprise', limits, checks });
}

test('a k6 on PATH runs the profile, and its result is the report', async () => {
  const { url } = await startTarget();
  const profile = profileFile(trafficOf());
  const options = [profile, '--url', url, '--format', 'json', '--seed', '7'];
  const { code, stdout, stderr } = await load(options, { path: `${folder}:/usr/bin:/bin` });
  const result = JSON.parse(stdout);
  expect(problemsOf('load-result', result)).toEqual([]);
  expect(result).toMatchObject({ engine: 'k6', seed: 7, outcome: 'passed', requests: { sent: 6, succeeded: 6 } });
  expect([result.target.url, result.command]).toEqual([url, expect.stringContaining('stack29-conformance load ')]);
  expect(code).toBe(0);
  expect(`${stdout}${stderr}`).not.toContain(key);
});

test('a trace beside its profile is replayed', async () => {
  const { url } = await startTarget();
  const lines = [0, 0.1, 0.2].map((at) => JSON.stringify({ at, promptTokens: 9, outputTokens: 3 }));
  writeFileSync(file('three.jsonl'), lines.join('\n'));
  const { requests: _, ...profile } = trafficOf({ arrival: { kind: 'trace', file: 'three.jsonl' } });
  const { code, stdout } = await load([profileFile(profile), '--url', url, '--k6', k6, '--format', 'json']);
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { requests: { sent: 3, succeeded: 3 }, tokens: { output: 9 } }]);
});

test('a trace that is none is told before k6 runs', async () => {
  writeFileSync(file('none.jsonl'), '{"at":0}');
  const { requests: _, ...profile } = trafficOf({ arrival: { kind: 'trace', file: 'none.jsonl' } });
  const { code, stderr } = await load([profileFile(profile), '--url', 'http://127.0.0.1:9/v1', '--k6', k6]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('line 1 of the trace')]);
});

test('options of load change what k6 does', async () => {
  const { url } = await startTarget();
  const { code, stdout } = await load([
    'smoke',
    '--url',
    url,
    '--k6',
    k6,
    '--requests',
    '3',
    '--transport',
    'sse',
    '--tokens',
    '5',
    '--format',
    'json',
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ requests: { sent: 3 }, tokens: { output: 15 } });
  expect(code).toBe(0);
});

test('a crossed bound ends with 99, and the report says which', async () => {
  const { url } = await startTarget();
  const { code, stdout } = await load(['smoke', '--url', url, '--k6', k6, '--threshold', 'request_rate>=1000000']);
  expect(stdout).toMatch(/request_rate/);
  // k6 itself cannot hold this bound: the result does.
  expect(code).toBe(99);
});

test('the scripts of a tier run one after the other, and one report has their verdicts', async () => {
  const { url } = await startTarget({
    limits: { ...unlimited, concurrent: 2, requestsPerMinute: 12 },
    windowSeconds: 6,
    tokensPerSecond: 250,
  });
  const limits = { requestsPerMinute: 12, concurrent: 3, windowSeconds: 6 };
  const tier = tierFile(limits, ['burst', 'concurrency']);
  const { code, stdout } = await load([
    tier,
    '--url',
    url,
    '--k6',
    k6,
    '--model',
    'stack29/scripted',
    '--format',
    'json',
  ]);
  const result = JSON.parse(stdout);
  expect(problemsOf('load-result', result)).toEqual([]);
  expect(result.tier.map(({ check, verdict }: Record<string, string>) => [check, verdict])).toEqual([
    ['burst', 'holds'],
    ['concurrency', 'broken'],
  ]);
  expect([code, result.outcome]).toEqual([1, 'broken']);
});

test('a second key and a fresh one reach the script, and are shown nowhere', async () => {
  const limits = { ...unlimited, tokensPerDay: 400 };
  const { url } = await startTarget({ limits });
  const tier = tierFile({ tokensPerDay: 400 }, ['tokens']);
  const options = [tier, '--url', url, '--k6', k6, '--format', 'json'];
  const { code, stdout, stderr } = await load([...options, '--fresh-key', '--second-key', secondKey]);
  expect(JSON.parse(stdout).tier).toMatchObject([{ check: 'tokens', limit: 400, verdict: 'holds', reasons: [] }]);
  expect(code).toBe(0);
  for (const secret of [key, secondKey]) expect(`${stdout}${stderr}`).not.toContain(secret);
  // The first key is spent now, and nobody says that it is fresh.
  const spent = await load(options);
  const [made] = JSON.parse(spent.stdout).tier;
  expect([spent.code, made.verdict, made.reasons]).toEqual([
    3,
    'inconclusive',
    [expect.stringContaining('--fresh-key')],
  ]);
});

test('an interruption ends k6 too, with what it measured', async () => {
  const { url, interruption } = await interruptingTarget();
  const report = file('interrupted.json');
  const { requests: _, ...profile } = trafficOf({ durationSeconds: 600 });
  const pid = file('pid');
  const told = file('k6-that-tells-its-id');
  const signals = file('signals');
  const counter = file('counter.mjs');
  writeFileSync(
    counter,
    `import fs from 'node:fs';\nprocess.on('SIGINT', () => fs.appendFileSync('${signals}', '.'));\n`,
  );
  writeFileSync(
    told,
    `#!/bin/sh\necho $$ > '${pid}'\nexec '${process.execPath}' --import '${counter}' '${standIn}' "$@"\n`,
    { mode: 0o755 },
  );
  const options = [profileFile(profile), '--url', url, '--k6', told, '--format', 'json', '--out', report];
  const { code } = await load(options, { interruption });
  expect(code).toBe(130);
  const result = JSON.parse(readFileSync(report, 'utf8'));
  expect(problemsOf('load-result', result)).toEqual([]);
  expect(result).toMatchObject({ endedEarly: 'interrupted', outcome: 'incomplete' });
  expect(result.requests.succeeded).toBeGreaterThan(0);
  expect(readFileSync(signals, 'utf8')).toBe('.');
  expect(() => process.kill(Number(readFileSync(pid, 'utf8')), 0)).toThrow('ESRCH');
});

/** A k6 that leaves a mark where it was begun. */
function k6WithMark() {
  const [program, mark] = [file('k6-with-mark'), file('mark')];
  const lines = ['#!/bin/sh', `echo $$ > '${mark}'`, `exec '${process.execPath}' '${standIn}' "$@"`];
  writeFileSync(program, lines.join('\n'), { mode: 0o755 });
  rmSync(mark, { force: true });
  return { program, mark };
}

/** A place for what is temporary. */
const temporary = () => mkdtempSync(file('tmp-'));

test('an interruption before k6 begins starts none', async () => {
  const fifo = file('slow-trace.jsonl');
  execFileSync('mkfifo', [fifo]);
  const { requests: _, ...profile } = trafficOf({ arrival: { kind: 'trace', file: 'slow-trace.jsonl' } });
  const { program, mark } = k6WithMark();
  const interruption = new AbortController();
  const TMPDIR = temporary();
  const options = [profileFile(profile), '--url', 'http://127.0.0.1:9/v1', '--k6', program];
  const running = load(options, { env: { TMPDIR }, interruption: interruption.signal });
  // It opens when the command reads it, which waits for what is written.
  const trace = await open(fifo, 'w');
  interruption.abort();
  await trace.writeFile(JSON.stringify({ at: 0, promptTokens: 9, outputTokens: 3 }));
  await trace.close();
  const { code, stdout, stderr } = await running;
  expect([code, stdout]).toEqual([130, '']);
  expect(stderr).toMatch(/^interrupted: nothing was measured\n$/m);
  expect([existsSync(mark), readdirSync(TMPDIR)]).toEqual([false, []]);
});

test('an interruption while k6 learns how to ask ends both, and leaves nothing', async () => {
  const interruption = new AbortController();
  const behaviour: Behaviour = {
    async *output(events) {
      interruption.abort();
      await sleep(3_000);
      yield* events;
    },
  };
  const { url } = await startTarget({ behaviour });
  const { program, mark } = k6WithMark();
  const TMPDIR = temporary();
  const options = ['smoke', '--url', url, '--k6', program];
  const { code, stdout, stderr } = await load(options, { env: { TMPDIR }, interruption: interruption.signal });
  expect([code, stdout]).toEqual([130, '']);
  expect(stderr).toMatch(/^interrupted: nothing was measured\n$/m);
  expect(readdirSync(TMPDIR)).toEqual([]);
  expect(() => process.kill(Number(readFileSync(mark, 'utf8')), 0)).toThrow('ESRCH');
});

test.each([
  ['a k6 that is not there', ['smoke', '--url', 'http://127.0.0.1:9/v1', '--k6', '/nowhere/k6'], 2, '/nowhere/k6'],
  ['a search', ['capacity', '--url', 'http://127.0.0.1:9/v1', '--k6', k6], 2, 'take --engine embedded'],
  ['workers', ['smoke', '--url', 'http://127.0.0.1:9/v1', '--k6', k6, '--workers', '2'], 2, 'uses every core'],
  [
    'a target that is not there',
    ['smoke', '--url', 'http://127.0.0.1:9/v1', '--k6', k6],
    4,
    'the target does not answer',
  ],
])('%s is told in one line', async (_, options, expected, words) => {
  const { code, stdout, stderr } = await load(options);
  expect([code, stdout]).toEqual([expected, '']);
  expect(stderr).toMatch(/^error: .*\n$/m);
  expect(stderr).toContain(words);
});

// Where there is one, it may have the image.
test.skipIf(existsSync('/var/run/docker.sock'))('no k6 and no container engine is told in one line', async () => {
  const { code, stdout, stderr } = await load(['smoke', '--url', 'http://127.0.0.1:9/v1']);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^error: .*install k6.*\n$/m);
});

test.each([[['--k6', 'k6']], [['--k6-image', 'k6:1.0']]])('%s of another engine is refused', async (option) => {
  const { code, stdout, stderr } = await load(['smoke', ...option, '--engine', 'embedded'], {}, []);
  expect([code, stdout, stderr]).toEqual([2, '', 'error: --k6 and --k6-image are of --engine k6\n']);
});

test('a key that is refused is told, and not shown', async () => {
  const { url } = await startTarget();
  const { code, stderr } = await load(['smoke', '--url', url, '--k6', k6], {
    env: { STACK29_API_KEY: 'sk-another-key' },
  });
  expect([code, stderr]).toEqual([2, expect.stringContaining('the target refuses the key (401)')]);
  expect(stderr).not.toContain('sk-another-key');
});
