import { describe, expect, test } from 'vitest';
import { parseKeys } from '../reference-server/keys/key-entries.ts';
import { startServer } from '../reference-server/server.ts';
import type { RecordedLine, RunOptions } from '../specs/evidence.ts';
import type { Report } from '../specs/report.ts';
import { replayClients } from './clients/client-runner.ts';
import { runLive } from './live-run.ts';
import { renderJson } from './report/json.ts';
import { run } from './run.ts';
import { trialBackend } from './self-test.ts';
import { tool } from './tool.ts';
import { skippingClock } from './transport/clock.ts';
import { openReplayWire } from './transport/replay.ts';

const key = 'sk-limits-test';

interface Judged {
  readonly live: Report;
  /** The same evidence, judged again. */
  readonly again: Report;
}

/** Judges the limits of a key, on a clock on which no wait takes time. */
async function judge(entry: object, options: Partial<RunOptions>): Promise<Judged> {
  const clock = skippingClock();
  const keys = parseKeys(JSON.stringify([{ key, ...entry }]), 'keys');
  const server = await startServer({ backend: trialBackend(), keys, clock: clock.now });
  const lines: RecordedLine[] = [];
  const settings = {
    options: { url: server.url, profile: 'limits', only: [], disabledKey: false, ...options } as const,
    startedAt: new Date().toISOString(),
  };
  try {
    const live = await runLive({
      ...settings,
      key,
      disabledKey: undefined,
      timeoutMs: 10_000,
      concurrency: 4,
      clock,
      record: (line) => line.kind !== 'header' && lines.push(line),
    });
    return { live, again: await run({ ...settings, wire: openReplayWire(lines), clients: replayClients([]), tool }) };
  } finally {
    await server.close();
  }
}

const undecided = ({ results }: Report) =>
  results.filter(({ verdict }) => verdict !== 'pass').map(({ id, verdict, reason }) => [id, verdict, reason]);

const room = { maxRequests: 3_000, maxTokens: 500_000 };
const custom = { requestsPerMinute: 40, tokensPerDay: 1_000_000, concurrent: 3 };

describe('the limits of a tier', () => {
  test.each<[tier: string, entry: object, options: Partial<RunOptions>, exempt: string[]]>([
    ['free', { tier: 'free' }, { tier: 'free' }, []],
    ['pro', { tier: 'pro' }, { tier: 'pro', ...room }, []],
    [
      'enterprise',
      { tier: 'enterprise', limits: custom },
      { tier: 'enterprise', concurrent: 3 },
      ['limits.tier.number'],
    ],
  ])('%s are kept, and the evidence says so again', { timeout: 60_000 }, async (_, entry, options, exempt) => {
    const { live, again } = await judge(entry, options);
    expect(undecided(live).map(([id]) => id)).toEqual(exempt);
    expect(live.outcome).toBe('conformant');
    expect(renderJson(again)).toBe(renderJson(live));
  });

  test('are undecided where nobody says which tier it is, and the reason says what to give', async () => {
    const { live } = await judge({ tier: 'free' }, {});
    expect(undecided(live)).toEqual([
      ['limits.tier.number', 'inconclusive', expect.stringContaining('--tier')],
      ...['admitted', 'refused', 'freed'].map((rule) => [
        `limits.concurrent.${rule}`,
        'inconclusive',
        expect.stringContaining('--concurrent'),
      ]),
    ]);
  });

  test('are broken by a key of another tier than was said', async () => {
    const { live } = await judge({ tier: 'free' }, { tier: 'pro' });
    expect(
      undecided(live)
        .filter(([, verdict]) => verdict === 'fail')
        .map(([id]) => id),
    ).toEqual(['limits.tier.number', 'limits.concurrent.admitted']);
  });
});

test('twenty runs of the profile limits give the same verdicts', { timeout: 180_000 }, async () => {
  for (let count = 0; count < 20; count += 1) {
    expect(undecided((await judge({ tier: 'free' }, { tier: 'free' })).live)).toEqual([]);
  }
});
