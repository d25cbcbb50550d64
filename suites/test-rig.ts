import type { Behaviour } from '../reference-server/behaviour.ts';
import { keyOfTier } from '../reference-server/keys/key-entries.ts';
import { startServer } from '../reference-server/server.ts';
import { executeCode } from '../reference-server/tools/execute-code.ts';
import { parseWebhook } from '../reference-server/webhooks/target.ts';
import type { EvidenceHeader, EvidenceLine, RecordedLine, RunOptions } from '../specs/evidence.ts';
import type { ProfileName } from '../specs/profiles.ts';
import type { Report } from '../specs/report.ts';
import { replayClients } from './clients/client-runner.ts';
import { runLive } from './live-run.ts';
import { run } from './run.ts';
import { trialBackend } from './self-test.ts';
import { tool } from './tool.ts';
import { skippingClock } from './transport/clock.ts';
import { openReplayWire } from './transport/replay.ts';
import { openReplayInbox } from './webhooks/inbox.ts';
import { openWebhookListener } from './webhooks/listener.ts';

export const key = 'sk-legal-targets';
const exhaustedKey = 'sk-legal-exhausted';

export interface Judged {
  readonly live: Report;
  /** The same evidence, judged again. */
  readonly again: Report;
}

export interface Settings {
  readonly profile?: ProfileName;
  readonly keys?: Parameters<typeof startServer>[0]['keys'];
  /** What the run takes for the key of a disabled account. */
  readonly disabledKey?: string;
  readonly timeoutMs?: number;
  readonly webhookTimeoutMs?: number;
  readonly options?: Partial<RunOptions>;
  /** Of those that deliver webhooks; true by default. */
  readonly runsTools?: boolean;
}

/** Judges a server that behaves so, with a clock on which no wait takes time. */
export async function judge(behaviour: Behaviour, settings: Settings = {}): Promise<Judged> {
  const { profile = 'standard', keys = [keyOfTier(key, 'free')], timeoutMs = 5_000, runsTools = true } = settings;
  const clock = skippingClock();
  const listener = profile === 'webhooks' ? await openWebhookListener('127.0.0.1', 0, clock) : undefined;
  const webhook = listener && {
    webhook: parseWebhook({ webhook_url: listener.url }, 'a test'),
    ...(runsTools && { tools: executeCode() }),
  };
  const exhausted = { ...keyOfTier(exhaustedKey, 'free'), tokensUsed: 100_000 };
  const server = await startServer({
    backend: trialBackend(),
    keys: [...keys, exhausted],
    behaviour,
    clock: clock.now,
    firstRetryMs: 20,
    ...webhook,
  });
  const options: RunOptions = {
    url: server.url,
    profile,
    only: [],
    disabledKey: settings.disabledKey !== undefined,
    exhaustedKey: true,
    ...(listener && { webhookUrl: listener.url }),
    ...settings.options,
  };
  const startedAt: EvidenceHeader['startedAt'] = new Date().toISOString();
  const lines: RecordedLine[] = [];
  const record = (line: EvidenceLine) => {
    if (line.kind !== 'header') lines.push(line);
  };
  try {
    const live = await runLive({
      options,
      key,
      disabledKey: settings.disabledKey,
      exhaustedKey,
      timeoutMs,
      webhookTimeoutMs: settings.webhookTimeoutMs,
      concurrency: 4,
      clock,
      listener,
      startedAt,
      record,
    });
    const again = await run({
      options,
      wire: openReplayWire(lines),
      clients: replayClients(lines.filter((line) => line.kind === 'client')),
      inbox: openReplayInbox(lines),
      tool,
      startedAt,
    });
    return { live, again };
  } finally {
    await server.close();
    await listener?.close();
  }
}

export const idsOf = ({ results }: Report, ...verdicts: readonly string[]) =>
  results.filter(({ verdict }) => verdicts.includes(verdict)).map(({ id }) => id);
