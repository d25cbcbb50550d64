import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

/** Every ready profile, shortened, by the built command, on both backends. */

// A run waits for its turn, too.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 60_000, maxConcurrency: 20 });

const program = join(import.meta.dirname, '../dist/stack29-conformance.js');
const folder = mkdtempSync(join(tmpdir(), 'stack29-test-'));
/** Runs that need the processor. */
const busy = new PQueue({ concurrency: 2 });

/** All that a check sends fits one window. */
const windowSeconds = 5;
const limits = { requestsPerMinute: 24, tokensPerDay: 100_000, concurrent: 4 };
const unlimited = { requestsPerMinute: 1e9, tokensPerDay: 1e12, concurrent: 1e6 };
const backends = ['scripted', 'gguf'] as const;
const traffic = ['smoke', 'tokens-per-second', 'steady', 'ramp', 'spike', 'soak'] as const;
const tiers = ['tier-free', 'tier-pro', 'tier-enterprise'] as const;
const urls = new Map<string, string>();
const servers: ChildProcess[] = [];

async function serve(backend: string, keysFile: string): Promise<void> {
  const pace = backend === 'scripted' ? ['--tokens-per-second', '100'] : [];
  const options = ['--port', '0', '--backend', backend, '--keys', keysFile, '--window', String(windowSeconds)];
  const server = fork(program, ['serve', ...options, ...pace], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  servers.push(server);
  const [{ url }] = await once(server, 'message');
  urls.set(backend, url);
}

function load(backend: string, profile: string, key: string, ...options: readonly string[]) {
  const args = [program, 'load', profile, '--url', urls.get(backend) ?? '', '--api-key', key, ...options];
  return new Promise<{ code: unknown; stdout: string; lastLine: string | undefined }>((resolve) => {
    const child = execFile(process.execPath, args, (_error, stdout) => {
      resolve({ code: child.exitCode, stdout, lastLine: stdout.trimEnd().split('\n').at(-1) });
    });
  });
}

beforeAll(async () => {
  if (!existsSync(program)) throw new Error('these tests run the built command: npm run build');
  const keysFile = join(folder, 'keys.json');
  const keys = [
    { key: 'sk-traffic', tier: 'enterprise', limits: unlimited },
    ...tiers.map((tier) => ({ key: `sk-${tier}`, tier: 'enterprise', limits })),
  ];
  writeFileSync(keysFile, JSON.stringify(keys));
  await Promise.all(backends.map((backend) => serve(backend, keysFile)));
});

afterAll(() => {
  for (const server of servers) server.kill();
  rmSync(folder, { recursive: true });
});

const onBackends = <Name extends string>(names: readonly Name[]) =>
  backends.flatMap((backend) => names.map((name) => [name, backend] as const));

describe('beside each other', () => {
  // A seed of which each profile sends requests within so short a time.
  const shortened = ['--duration', '2', '--warm-up', '0.2', '--tokens', '8', '--seed', '29'];
  // Users who wait for answers may send none in a given time, on a busy machine.
  const counted = ['--requests', '10', ...shortened.slice(2)];
  const isCounted = (profile: string) => profile === 'smoke' || profile === 'tokens-per-second';

  test.concurrent.each(onBackends(traffic))('%s runs on the %s backend', async (profile, backend) => {
    const options = isCounted(profile) ? counted : shortened;
    const { code, stdout, lastLine } = await busy.add(() => load(backend, profile, 'sk-traffic', ...options));
    expect(stdout).toMatch(/^requests +\d+ sent/m);
    // Where the machine is so busy that requests are sent a second late, the run says that it decides nothing.
    const isSpared = code === 3 && lastLine?.startsWith(`incomplete: ${profile}, since the client was the limit`);
    expect([isSpared ? 0 : code, lastLine]).toEqual([
      0,
      isSpared ? lastLine : expect.stringMatching(`^passed: ${profile}(, though the client was the limit.*)?$`),
    ]);
  });

  test.concurrent.each(onBackends(['capacity']))(
    '%s says on the %s backend which rate was carried',
    async (profile, backend) => {
      const bounds = ['--rate', '2', '--slo', 'ttft_p95=30000', '--slo', 'e2e_p95=30000'];
      // A shorter step does not tell whether the queue grows.
      const options = [...shortened, ...bounds, '--duration', '6'];
      const { code, stdout, lastLine } = await busy.add(() => load(backend, profile, 'sk-traffic', ...options));
      // Where the machine is so busy that requests are sent a second late, no rate is known to hold.
      const isSpared = /^incomplete: capacity, the client was the limit at \S+ req\/s .* so late that/m.test(stdout);
      if (!isSpared) expect(stdout).toContain('every rate up to 2 req/s was within the SLOs: raise --rate');
      expect([code, lastLine]).toEqual([3, expect.stringMatching(/^incomplete: capacity, /)]);
    },
  );

  // These mostly wait.
  test.concurrent.each([...tiers.map((tier) => [tier, 'scripted'] as const), ['tier-enterprise', 'gguf'] as const])(
    '%s finds that limits hold on the %s backend',
    { retry: 1 },
    (tier, backend) => findThatLimitsHold(backend, tier),
  );
});

/** A machine that is too busy for so short a window leaves limits undecided. */
async function findThatLimitsHold(backend: string, tier: string): Promise<void> {
  const { requestsPerMinute, concurrent } = limits;
  const stated = Object.entries({ requestsPerMinute, concurrent, windowSeconds });
  const options = stated.flatMap(([name, value]) => ['--limit', `${name}=${value}`]);
  const { code, stdout, lastLine } = await load(backend, tier, `sk-${tier}`, ...options);
  expect(stdout).toMatch(/^burst +HOLDS: limit 24, .*^concurrency +HOLDS: limit 4, /ms);
  expect([code, lastLine]).toEqual([0, `passed: ${tier}`]);
}

describe('a model that nothing else uses', () => {
  test.concurrent.each(['tier-free', 'tier-pro'])(
    '%s finds that limits hold on the gguf backend',
    { retry: 1 },
    (tier) => findThatLimitsHold('gguf', tier),
  );
});
