import type { EvidenceLine, RunOptions } from '../specs/evidence.ts';
import type { Report } from '../specs/report.ts';
import type { ClientRunner } from './clients/client-runner.ts';
import { liveClients } from './clients/live-clients.ts';
import { plan, type RunSettings, run } from './run.ts';
import { tool } from './tool.ts';
import { type Clock, systemClock } from './transport/clock.ts';
import type { FaultHeader } from './transport/fault-header.ts';
import { govern } from './transport/governor.ts';
import { openLiveWire } from './transport/live.ts';
import { openMask, secretsIn } from './transport/mask.ts';
import { openInbox } from './webhooks/inbox.ts';
import type { WebhookListener } from './webhooks/listener.ts';

/** What the standard profile may take: within one window of the Free tier, and a fifth of its day. */
const freeWindow = { requests: 90, tokens: 20_000 } as const;

export interface LiveRunSettings extends Pick<RunSettings, 'onProgress' | 'onFault'> {
  readonly options: RunOptions;
  readonly key: string | undefined;
  readonly disabledKey: string | undefined;
  readonly exhaustedKey?: string | undefined;
  readonly faultHeader?: FaultHeader | undefined;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates to trust, in PEM. */
  readonly ca?: string | undefined;
  readonly insecure?: boolean | undefined;
  /** The interpreter that runs the clients in Python. */
  readonly python?: string | undefined;
  /** Runs real clients; by default their programs on this machine. */
  readonly clients?: ClientRunner;
  readonly startedAt: string;
  /** Takes in the target's webhooks; its URL is that of the options. */
  readonly listener?: WebhookListener | undefined;
  /** How long webhooks are waited for; as long as a phase of a request unless given. */
  readonly webhookTimeoutMs?: number | undefined;
  readonly record?: (line: EvidenceLine) => void;
  /** Told in one line when the run has to wait. */
  readonly notify?: (line: string) => void;
  /** The system's unless given. */
  readonly clock?: Clock;
}

/**
 * Judges a target over sockets, within its rate limit and the bounds of the options.
 * @throws TargetProblem where the target cannot be judged at all
 * @throws BadSettings for keys, headers and proxies that cannot be used
 */
export async function runLive(settings: LiveRunSettings): Promise<Report> {
  const { options, concurrency, notify, clients = liveClients(settings), clock = systemClock } = settings;
  const { listener, webhookTimeoutMs: timeoutMs = settings.timeoutMs } = settings;
  const startedAt = clock.elapsed();
  const live = openLiveWire({ ...settings, baseUrl: options.url, userAgent: tool.replace(' ', '/'), startedAt });
  const secrets = [settings.key, settings.disabledKey, settings.exhaustedKey].filter((key) => key !== undefined);
  const mask = openMask([...secrets, ...secretsIn(settings.headers ?? {})]);
  const inbox = listener && openInbox(listener, { mask, timeoutMs, startedAt, record: settings.record });
  // Requests that are sent again count too: whatever happens, a run stays within what was planned, or a Free window.
  const { cost } = plan(options);
  const { maxRequests = Math.max(cost.requests, freeWindow.requests) } = options;
  const { maxTokens = Math.max(cost.tokens, freeWindow.tokens) } = options;
  const wire = govern(live, { concurrency, maxRequests, maxTokens, notify, clock });
  try {
    return await run({ ...settings, wire, clients, inbox, tool });
  } finally {
    await wire.close();
  }
}
