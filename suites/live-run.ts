import type { EvidenceLine, RunOptions } from '../specs/evidence.ts';
import type { Report } from '../specs/report.ts';
import { type RunSettings, run } from './run.ts';
import { tool } from './tool.ts';
import { govern } from './transport/governor.ts';
import { openLiveWire } from './transport/live.ts';

export interface LiveRunSettings extends Pick<RunSettings, 'onProgress' | 'onFault'> {
  readonly options: RunOptions;
  readonly key: string | undefined;
  readonly disabledKey: string | undefined;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates to trust, in PEM. */
  readonly ca?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly startedAt: string;
  readonly record?: (line: EvidenceLine) => void;
  /** Told in one line when the run has to wait. */
  readonly notify?: (line: string) => void;
}

/**
 * Judges a target over sockets, within its rate limit and the bounds of the options.
 * @throws TargetProblem where the target cannot be judged at all
 * @throws BadSettings for keys, headers and proxies that cannot be used
 */
export async function runLive(settings: LiveRunSettings): Promise<Report> {
  const { options, concurrency, notify } = settings;
  const live = openLiveWire({
    ...settings,
    baseUrl: options.url,
    userAgent: tool.replace(' ', '/'),
    startedAt: performance.now(),
  });
  const { maxRequests, maxTokens } = options;
  const wire = govern(live, { concurrency, maxRequests, maxTokens, notify });
  try {
    return await run({ ...settings, wire, tool });
  } finally {
    await wire.close();
  }
}
