import { onTestFinished } from 'vitest';
import { scriptedBackend } from '../../reference-server/backends/scripted.ts';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import { startServer } from '../../reference-server/server.ts';
import type { LoadWorkload } from '../../specs/wire.ts';
import type { Measurer } from '../measurer.ts';
import { addUp, metricsOf } from '../summary.ts';
import { measure, type Watch } from './engine.ts';
import type { Endpoint, Job, JobArrival, Wording } from './job.ts';

const key = 'sk-test-load';

/** Another key of the same limits. */
export const secondKey = 'sk-test-load-second';

export const unlimited = { requestsPerMinute: 1e9, tokensPerDay: 1e12, concurrent: 1e6 };

interface ServerSettings {
  readonly behaviour?: Behaviour;
  readonly ttftMs?: number;
  readonly tokensPerSecond?: number;
  readonly limits?: typeof unlimited;
  readonly windowSeconds?: number;
}

/** Starts a server on scripted text, which ends with the test. */
export async function startTarget(settings: ServerSettings = {}): Promise<Endpoint> {
  const { endpoint, close } = await openTarget(settings);
  onTestFinished(close);
  return endpoint;
}

/** Starts a server on scripted text. */
export async function openTarget(settings: ServerSettings = {}) {
  const { behaviour = {}, limits = unlimited, windowSeconds = 60, ...pace } = settings;
  const server = await startServer({
    backend: scriptedBackend(pace),
    keys: [key, secondKey].map((one) => ({ key: one, limits, disabled: false })),
    behaviour,
    windowSeconds,
  });
  return { endpoint: endpointOf(server.url), close: () => server.close() };
}

export function endpointOf(url: string): Endpoint {
  return { url, key, headers: {}, ca: undefined, insecure: false };
}

export const streams: LoadWorkload = { promptTokens: 8, outputTokens: 20, transports: { sse: 1 } };

/** A job as a test needs it: words count one token, plus one for the role. */
export function jobFor(
  endpoint: Endpoint,
  arrival: JobArrival,
  changes: Partial<Job> & { workload?: LoadWorkload } = {},
): Job {
  const { workload = streams, ...rest } = changes;
  return {
    endpoint,
    wording: { model: 'stack29/scripted', workload, askUsage: true, promptCost: { fixed: 1, perWord: 1 } },
    arrival,
    warmUpMs: 0,
    timeoutMs: 20_000,
    slos: {},
    seed: 29,
    share: { index: 0, of: 1 },
    ...rest,
  };
}

/** Runs a job, and gives its counts and metrics. */
export async function measureJob(job: Job, watch: Partial<Watch> = {}) {
  const signal = new AbortController().signal;
  const measurement = await measure(job, performance.now(), { signal, ...watch });
  const { tally, clientHealth, endedEarly } = addUp([measurement]);
  return {
    counts: tally.counts,
    errors: [...tally.errors],
    metrics: metricsOf(tally),
    clientHealth,
    endedEarly,
    tally,
  };
}

/** Measures in this process. */
export function measurerHere(endpoint: Endpoint, wording: Wording): Measurer {
  return {
    async measure(task, signal, onPulse) {
      const job: Job = { ...task, endpoint, wording, share: { index: 0, of: 1 } };
      return addUp([await measure(job, performance.now(), { signal, onPulse })]);
    },
  };
}
