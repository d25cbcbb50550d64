import type { LoadResult, TrafficProfile } from '../specs/wire.ts';
import { judgeBounds } from './bounds.ts';
import { outcomeOfBounds, withDoubts } from './doubt.ts';
import type { JobArrival } from './engine/job.ts';
import { defaultTimeoutSeconds } from './engine/lane.ts';
import type { Pulse } from './engine/pulse.ts';
import type { Measurer } from './measurer.ts';
import { metricsOf, type Totals } from './summary.ts';
import { readTrace } from './trace.ts';

/** What a result says of what was measured, whatever the profile. */
export type Measured = Pick<
  LoadResult,
  | 'measuredSeconds'
  | 'requests'
  | 'tokens'
  | 'metrics'
  | 'errors'
  | 'timeline'
  | 'clientHealth'
  | 'bounds'
  | 'notes'
  | 'outcome'
  | 'endedEarly'
  | 'capacity'
  | 'tier'
>;

export interface TrafficSettings {
  readonly measurer: Measurer;
  readonly seed: number;
  /** The profile's file, beside which a trace lies. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** @param secondsLeft about how much longer it takes at most, where the profile does not say */
  readonly onPulse: (pulse: Pulse, secondsLeft?: number) => void;
}

/** Runs a traffic profile. @throws LoadProblem where its trace cannot be used */
export async function measureTraffic(profile: TrafficProfile, settings: TrafficSettings): Promise<Measured> {
  const { measurer, seed, path, signal, onPulse } = settings;
  const { arrival, warmUpSeconds = 0, durationSeconds, requests, timeoutSeconds, slos = {}, thresholds } = profile;
  const jobArrival: JobArrival =
    arrival.kind === 'trace'
      ? { kind: 'trace', requests: (await readTrace(arrival.file, path)).requests, speed: arrival.speed ?? 1 }
      : arrival;
  const totals = await measurer.measure(
    {
      arrival: jobArrival,
      warmUpMs: warmUpSeconds * 1000,
      ...(durationSeconds !== undefined && { durationMs: durationSeconds * 1000 }),
      ...(requests !== undefined && { requests }),
      timeoutMs: (timeoutSeconds ?? defaultTimeoutSeconds) * 1000,
      slos,
      seed,
    },
    signal,
    (pulse) => onPulse(pulse),
  );
  const metrics = metricsOf(totals.tally);
  const measured = measuredOf(totals);
  const bounds = withDoubts(judgeBounds(metrics, slos, thresholds), measured);
  return {
    ...measured,
    metrics,
    bounds,
    notes: notesOf(profile, totals),
    outcome: outcomeOf(totals, bounds),
  };
}

/** What of a result does not depend on the profile. */
export function measuredOf({ tally, clientHealth, endedEarly }: Totals) {
  const { sent, succeeded, failed, limited, unfinished, warmUp, ...rest } = tally.counts;
  const { promptTokens, outputTokens, countedByUsage, countedByPieces } = rest;
  const countedBy =
    countedByUsage > 0 ? (countedByPieces > 0 ? 'both' : 'usage') : countedByPieces > 0 ? 'chunks' : 'none';
  return {
    measuredSeconds: tally.measuredMs / 1000,
    ...(endedEarly && { endedEarly }),
    requests: { sent, succeeded, failed, limited, unfinished, warmUp },
    tokens: { prompt: promptTokens, output: outputTokens, countedBy },
    errors: [...tally.errors]
      .map(([kind, count]) => ({ kind, count }))
      .toSorted((one, other) => other.count - one.count),
    timeline: tally.timeline.summary(),
    clientHealth,
  } as const;
}

function outcomeOf({ tally, endedEarly }: Totals, bounds: LoadResult['bounds']): LoadResult['outcome'] {
  // A bound may be crossed for want of what was never sent.
  if (endedEarly !== undefined || tally.counts.sent === 0) return 'incomplete';
  const outcome = outcomeOfBounds(bounds);
  return tally.counts.succeeded === 0 && outcome === 'passed' ? 'incomplete' : outcome;
}

function notesOf({ workload }: TrafficProfile, { tally, endedEarly }: Totals): string[] {
  const { sent, succeeded, limited, promptTokens, outputTokens, countedByUsage } = tally.counts;
  const mean = (tokens: number) => (tokens / succeeded).toFixed(1);
  const most = typeof workload.outputTokens === 'number' ? workload.outputTokens : workload.outputTokens.to;
  return [
    ...(endedEarly === 'target gone' ? ['the target stopped answering, so the run was ended'] : []),
    ...(endedEarly === undefined && sent === 0 ? ['no request was sent in the time that is measured: run longer'] : []),
    ...(endedEarly === 'interrupted' && sent === 0 ? ['interrupted before anything was measured'] : []),
    ...(limited > 0
      ? [`${limited} requests were refused with 429: the limit of the key, not what the target can carry`]
      : []),
    ...(succeeded > 0 && countedByUsage > 0
      ? [`prompts had ${mean(promptTokens)} tokens in the mean, answers ${mean(outputTokens)} of at most ${most}`]
      : []),
    ...((workload.transports.json ?? 0) > 0
      ? ['answers in one JSON body have no first content, so that TTFT, ICL and TPOT leave them out']
      : []),
  ];
}
