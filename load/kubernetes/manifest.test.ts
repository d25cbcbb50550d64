import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { openTarget, unlimited } from '../engine/test-rig.ts';
import { runUnderStandIn, trafficOf } from '../k6/stand-in/test-rig.ts';
import { readyProfiles } from '../ready-profiles.ts';
import { configMapSchema, testRunSchema } from './test-run-schema.ts';

const program = resolve('dist/stack29-conformance.js');

beforeAll(() => {
  if (!existsSync(program)) throw new Error('these tests run the built command: npm run build');
});

interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function print(...options: readonly string[]): Promise<Printed> {
  const env = { PATH: process.env.PATH, STACK29_API_KEY: 'sk-a-secret-key' };
  const printing = promisify(execFile)(process.execPath, [program, 'load', 'kubernetes', ...options], { env });
  return printing.then(
    (output) => ({ code: 0, ...output }),
    (error: Printed) => error,
  );
}

const url = ['--url', 'https://api.example.org/v1'];

const ajv = new Ajv2020({ strict: true, allErrors: true });
const [isConfigMap, isTestRun] = [ajv.compile(configMapSchema), ajv.compile(testRunSchema)];

/** The two documents of a manifest, which are as the cluster takes them. */
function documentsOf(manifest: string) {
  const documents = parseAllDocuments(manifest);
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  const [configMap, testRun] = documents.map((document) => document.toJS());
  expect([isConfigMap(configMap), isConfigMap.errors]).toEqual([true, null]);
  expect([isTestRun(testRun), isTestRun.errors]).toEqual([true, null]);
  // The limit of Kubernetes on what a ConfigMap holds.
  expect(JSON.stringify(configMap.data).length).toBeLessThan(2 ** 20);
  expect(testRun.spec.script.configMap).toEqual({ name: configMap.metadata.name, file: 'script.js' });
  expect(Object.keys(configMap.data)).toContain(testRun.spec.script.configMap.file);
  return { configMap, testRun };
}

test.each(Object.keys(readyProfiles).filter((name) => name !== 'capacity'))('profile %s', async (name) => {
  const { code, stdout, stderr } = await print(name, ...url);
  const { testRun } = documentsOf(stdout);
  expect([code, stderr]).toEqual([0, '']);
  // A whole release, and no tag that moves.
  expect(testRun.spec.runner.image).toMatch(/^grafana\/k6:\d+\.\d+\.\d+$/);
  expect(testRun.spec.parallelism).toBe(1);
  expect(stdout).not.toContain('sk-a-secret-key');
});

test('the keys of a check of tokens come out of the Secret', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stack29-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const profile = join(folder, 'tokens.json');
  writeFileSync(profile, JSON.stringify({ ...readyProfiles['tier-free'], checks: ['tokens'] }));
  const options = ['--fresh-key', '--second-key', 'sk-a-second-key', '--secret', 'keys-of-free'];
  const { code, stdout } = await print(profile, ...url, ...options);
  const { runner } = documentsOf(stdout).testRun.spec;
  expect([code, runner.envFrom]).toEqual([0, [{ secretRef: { name: 'keys-of-free' } }]]);
  expect(runner.env).toContainEqual({ name: 'STACK29_FRESH_KEY', value: '1' });
  expect(stdout).toContain('generic keys-of-free --from-literal=STACK29_API_KEY=… --from-literal=STACK29_SECOND_KEY=…');
  expect(stdout).not.toMatch(/sk-a-/);
});

test('runners share the load, which the manifest says what to make of', async () => {
  const { stdout } = await print('steady', ...url, '--parallelism', '4', '--namespace', 'perf', '--rate', '200');
  const { configMap, testRun } = documentsOf(stdout);
  expect([testRun.spec.parallelism, testRun.metadata.namespace]).toEqual([4, 'perf']);
  expect(JSON.parse(configMap.data['profile.json']).arrival).toEqual({ kind: 'poisson', rate: 200 });
  expect(stdout).toMatch(/^# 4 runners share the requests/m);
  expect(stdout).toMatch(/^# .*of each runner by itself/m);
});

test.each([
  ['registry.example.org/k6:2.2.0', 'is pinned'],
  ['registry.example.org:5000/k6@sha256:0123', 'is pinned'],
  ['registry.example.org:5000/k6', 'names no release'],
  ['k6:latest', 'names no release'],
])('the runners may have another image: %s %s', async (image, words) => {
  const { stdout } = await print('steady', ...url, '--k6-image', image);
  expect(documentsOf(stdout).testRun.spec.runner.image).toBe(image);
  expect(stdout).toContain(`# ${image} ${words}`);
});

test('a tier of several checks names the scripts that remain', async () => {
  const first = await print('tier-free', ...url);
  expect(documentsOf(first.stdout).testRun.metadata.name).toBe('stack29-tier-requests-tier-free');
  expect(first.stdout).toContain('--script tier-concurrency');
  const second = await print('tier-free', ...url, '--script', 'tier-concurrency');
  expect(documentsOf(second.stdout).testRun.metadata.name).toBe('stack29-tier-concurrency-tier-free');
});

test('the script of a manifest runs beside its profile', async () => {
  const { endpoint, close } = await openTarget({ limits: unlimited });
  try {
    const { stdout } = await print('smoke', '--url', endpoint.url, '--transport', 'json', '--requests', '4');
    const { configMap, testRun } = documentsOf(stdout);
    const env = Object.fromEntries(
      testRun.spec.runner.env.map(({ name, value }: Record<'name' | 'value', string>) => [name, value]),
    );
    const { code, stdout: logged } = await runUnderStandIn(
      { text: configMap.data['script.js'], beside: { 'profile.json': configMap.data['profile.json'] } },
      { ...env, STACK29_API_KEY: endpoint.key ?? '' },
    );
    expect(code).toBe(0);
    expect(JSON.parse(logged)).toMatchObject({ engine: 'k6', outcome: 'passed', requests: { sent: 4, succeeded: 4 } });
  } finally {
    await close();
  }
});

test.each([
  ['no target', ['smoke'], 'give --url'],
  ['a search', ['capacity', ...url], 'take --engine embedded'],
  ['more runners than users', ['smoke', ...url, '--parallelism', '3'], 'has work for 2 runners'],
  ['a tier by several runners', ['tier-pro', ...url, '--parallelism', '2'], '--parallelism 1'],
  ['a script of another kind', ['smoke', ...url, '--script', 'tier-tokens'], 'it takes soak'],
  ['a script that there is not', ['smoke', ...url, '--script', 'ramp'], 'Allowed choices'],
  ['a name that Kubernetes does not take', ['smoke', ...url, '--secret', 'My Key'], 'is no name for Kubernetes'],
  ['a namespace that it does not take', ['smoke', ...url, '--namespace', 'a.b'], 'small letters, digits and -'],
  ['a profile that there is not', ['smok', ...url], 'the nearest is smoke'],
])('%s is a usage error', async (_, options, words) => {
  const { code, stdout, stderr } = await print(...options);
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(words)]);
});

test('what a TestRun may not be is found', () => {
  const good = {
    apiVersion: 'k6.io/v1alpha1',
    kind: 'TestRun',
    metadata: { name: 'a' },
    spec: { parallelism: 1, script: { configMap: { name: 'a', file: 'script.js' } }, runner: { image: 'k6' } },
  };
  expect(isTestRun(good)).toBe(true);
  for (const spec of [
    { parallelism: '1' },
    { parallelism: undefined },
    { script: { configMap: { file: 'a' } } },
    { runner: { args: [] } },
    { script: undefined },
  ]) {
    expect(isTestRun(JSON.parse(JSON.stringify({ ...good, spec: { ...good.spec, ...spec } })))).toBe(false);
  }
});

test('a trace goes with its profile, as far as a ConfigMap holds it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stack29-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const arrival = { kind: 'trace', file: 'trace.jsonl' };
  const { requests: _, ...profile } = trafficOf();
  const path = join(folder, 'replayed.json');
  writeFileSync(path, JSON.stringify({ ...profile, arrival }));
  const line = `${JSON.stringify({ at: 0, promptTokens: 8, outputTokens: 2 })}\n`;
  writeFileSync(join(folder, 'trace.jsonl'), line.repeat(3));
  const { configMap, testRun } = documentsOf((await print(path, ...url, '--parallelism', '2')).stdout);
  expect(configMap.data['trace.jsonl']).toBe(line.repeat(3));
  expect(testRun.spec.runner.env).toContainEqual({ name: 'STACK29_TRACE', value: './trace.jsonl' });
  writeFileSync(join(folder, 'trace.jsonl'), line.repeat(30_000));
  expect(await print(path, ...url)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('a ConfigMap holds 1048576'),
  });
});

test('all runners have one seed, given or not', async () => {
  const { testRun } = documentsOf((await print('steady', ...url, '--parallelism', '3')).stdout);
  expect(testRun.spec.runner.env).toContainEqual({ name: 'STACK29_SEED', value: expect.stringMatching(/^\d+$/) });
});

test('the seed and --insecure go with the run', async () => {
  const { testRun } = documentsOf((await print('smoke', ...url, '--seed', '7', '--insecure')).stdout);
  expect(testRun.spec.runner.env).toEqual(
    expect.arrayContaining([
      { name: 'STACK29_SEED', value: '7' },
      { name: 'K6_INSECURE_SKIP_TLS_VERIFY', value: 'true' },
    ]),
  );
});

test.each([
  ['--header', 'X-Secret: 1', 'STACK29_HEADERS'],
  ['--ca', 'ca.pem', '--insecure'],
  ['--out', 'run.yaml', '> run.yaml'],
  ['--workers', '2', '--parallelism'],
  ['--ttft', '9', '--url'],
])('%s is refused, with what to do', async (option, value, words) => {
  const { code, stdout, stderr } = await print('smoke', ...url, option, value);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(new RegExp(`^error: ${option} means nothing to load kubernetes: `));
  expect(stderr).toContain(words);
});
