import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scriptedBackend } from '../reference-server/backends/scripted.ts';
import type { Behaviour } from '../reference-server/behaviour.ts';
import { faults } from '../reference-server/faults/index.ts';
import { keyOfTier } from '../reference-server/keys/key-entries.ts';
import { type RunningServer, startServer } from '../reference-server/server.ts';
import { parseWebhook, type WebhookTarget } from '../reference-server/webhooks/target.ts';
import { conformance } from './vitest.ts';

function start(behaviour: Behaviour = {}, webhook?: WebhookTarget): Promise<RunningServer> {
  // Room for all that one run sends, so that none waits for a window.
  const limits = { requestsPerMinute: 1_000, tokensPerDay: 100_000, concurrent: 5 };
  const keys = [{ ...keyOfTier('sk-own', 'free'), limits }, keyOfTier('sk-disabled', 'free', true)];
  return startServer({ backend: scriptedBackend(), keys, behaviour, ...(webhook && { webhook }) });
}

describe('of the reference server', () => {
  let server: RunningServer;

  beforeAll(async () => {
    server = await start();
  });

  afterAll(() => server.close());

  conformance({ url: () => server.url, apiKey: 'sk-own', disabledKey: 'sk-disabled' });
});

describe('of the webhooks of the reference server', async () => {
  const webhookListen = { host: '127.0.0.1', port: await freePort() };
  let server: RunningServer;

  beforeAll(async () => {
    const url = `http://127.0.0.1:${webhookListen.port}/stack29-webhook`;
    server = await start({}, parseWebhook({ webhook_url: url }, 'a test'));
  });

  afterAll(() => server.close());

  conformance({
    url: () => server.url,
    apiKey: 'sk-own',
    profile: 'webhooks',
    only: ['webhooks.payload.*'],
    webhookListen,
    timeoutMs: 10_000,
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

interface Outcome {
  readonly title: string;
  readonly status: string;
  readonly failureMessages: readonly string[];
}

/** Runs a test file that registers the suite, in a vitest of its own; gives the tests that did not pass. */
async function runVitest(settings: object): Promise<Outcome[]> {
  const root = mkdtempSync(join(tmpdir(), 'stack29-vitest-'));
  const suite = join(import.meta.dirname, 'vitest.ts');
  writeFileSync(
    join(root, 'conformance.test.ts'),
    `import { conformance } from ${JSON.stringify(suite)};\nconformance(${JSON.stringify(settings)});\n`,
  );
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const stdout = await new Promise<string>((resolve) => {
    execFile(process.execPath, [vitest, 'run', '--root', root, '--reporter=json'], (_failed, text) => resolve(text));
  });
  rmSync(root, { recursive: true });
  const { testResults } = JSON.parse(stdout);
  return testResults[0].assertionResults.filter(({ status }: Outcome) => status !== 'passed');
}

test('a broken MUST fails with all that the terminal would show; what needs more is skipped', async () => {
  const server = await start(faults['completion-total-off-by-one'].behaviour);
  const outcomes = await runVitest({ url: server.url, apiKey: 'sk-own', profile: 'full', only: ['chat.*', 'auth.*'] });
  await server.close();
  const failed = outcomes.filter(({ status }) => status === 'failed');
  expect(failed.map(({ title }) => title)).toEqual(['MUST chat.response.usage-sum']);
  expect(failed[0]?.failureMessages[0]).toMatch(/expected {2}\d+\n {4}actual {4}\d+\n.* {4}< 200\n.*curl -ig/s);
  expect(outcomes.filter(({ status }) => status === 'skipped').map(({ title }) => title)).toEqual([
    'MUST auth.disabled.status',
    'SHOULD auth.disabled.identifier',
  ]);
});

test('a broken SHOULD is neither failed nor passed', async () => {
  const server = await start(faults['completion-id-constant'].behaviour);
  const outcomes = await runVitest({ url: server.url, apiKey: 'sk-own' });
  await server.close();
  // No answer of the server calls more than one function.
  const skipped = ['SHOULD chat.response.id-unique', 'SHOULD tools.call.id-unique'];
  expect(outcomes.map(({ title, status }) => [title, status])).toEqual(skipped.map((title) => [title, 'skipped']));
});
