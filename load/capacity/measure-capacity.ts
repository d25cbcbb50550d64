import type { Capacity, CapacityPoint, CapacityProfile, LoadResult } from '../../specs/wire.ts';
import { judgeBounds } from '../bounds.ts';
import { doubtWords, isSpared, withDoubts } from '../doubt.ts';
import type { Pulse } from '../engine/pulse.ts';
import { pointWords, short } from '../report/words.ts';
import { metricsOf, type Totals } from '../summary.ts';
import { type Measured, measuredOf, type TrafficSettings } from '../traffic.ts';
import { isSaturated, mean, meanInterval, type QueueSample } from './saturation.ts';
import { type Found, mostStepsLeft, searchRate } from './search.ts';

/** More failures than this share are a rate that the target does not carry. */
const mostErrors = 0.01;

interface Step extends CapacityPoint {
  readonly totals: Totals;
  readonly metrics: LoadResult['metrics'];
  /** Why the search ends with it, where it does. */
  readonly ended: Totals['endedEarly'];
  /** Whether it was too short to tell anything, as every one of its length is. */
  readonly isTooShort: boolean;
}

/** Ends a search whose figures would be of something else than the target. */
class Stopped extends Error {}

/** Searches for the highest rate within the SLOs. An interruption keeps what was measured. */
export async function measureCapacity(
  profile: CapacityProfile,
  { say, ...settings }: TrafficSettings & { readonly say: (line: string) => void },
): Promise<Measured> {
  const steps: Step[] = [];
  const measure = async (rate: number): Promise<Step> => {
    const stepsLeft = mostStepsLeft(profile.search, steps) - 1;
    const step = await measureStep(profile, rate, { ...settings, index: steps.length, stepsLeft });
    const again = steps.some((before) => before.rate === rate) ? ' again' : '';
    steps.push(step);
    say(`${short(rate)} req/s${again}: ${pointWords(step)}`);
    if (step.ended !== undefined || step.limited > 0 || step.isTooShort) throw new Stopped();
    return step;
  };
  const found = await searchRate(profile.search, measure).catch((error: unknown): Found<Step> => {
    if (error instanceof Stopped) return { points: steps };
    throw error;
  });
  const capacity = capacityOf(found, profile.search.toRate);
  const chosen = steps.findLast(({ rate }) => rate === found.held) ?? steps.at(-1);
  if (chosen === undefined) throw new Error('a search measures at least one rate');
  const endedEarly = steps.at(-1)?.ended;
  return {
    ...measuredOf(chosen.totals),
    ...(endedEarly && { endedEarly }),
    metrics: chosen.metrics,
    bounds: judgeBounds(chosen.metrics, profile.slos),
    capacity,
    notes: [`counts, latencies and the time line are of the last measurement at ${short(chosen.rate)} req/s`],
    outcome: capacity.rate === undefined ? 'incomplete' : 'passed',
  };
}

interface StepSettings extends TrafficSettings {
  readonly index: number;
  /** How many more there are at most. */
  readonly stepsLeft: number;
}

async function measureStep(
  { search, slos, timeoutSeconds = 60 }: CapacityProfile,
  rate: number,
  { measurer, seed, signal, onPulse, index, stepsLeft }: StepSettings,
): Promise<Step> {
  const samples: QueueSample[] = [];
  const begin = performance.now();
  const watch = (pulse: Pulse) => {
    const at = performance.now() - begin;
    samples.push({ at, inFlight: pulse.inFlight });
    const stepMs = warmUpMs + durationMs;
    onPulse(pulse, (Math.max(0, stepMs - at) + Math.max(0, stepsLeft) * stepMs) / 1000);
  };
  const [warmUpMs, durationMs] = [search.warmUpSeconds * 1000, search.stepSeconds * 1000];
  const arrival = { kind: search.spacing === 'even' ? 'constant' : 'poisson', rate } as const;
  const task = { arrival, warmUpMs, durationMs, timeoutMs: timeoutSeconds * 1000, slos, seed: seed + index };
  const totals = await measurer.measure(task, signal, watch);
  const metrics = metricsOf(totals.tally);
  const { sent, succeeded, failed, limited } = totals.tally.counts;
  // Until the first requests have had time to end, every queue grows.
  const settled = Math.max(warmUpMs, totals.tally.distributions.e2e.percentile(50));
  const queue = samples.filter(({ at }) => at >= settled && at <= warmUpMs + durationMs);
  const grows = isSaturated(queue, rate);
  const saturated = grows === true;
  const isSilent = grows === undefined || sent === 0;
  const { clientHealth } = totals;
  const measured = measuredOf(totals);
  // At a low rate it takes the engine long to give a target up.
  const isGone = failed > 0 && succeeded === 0 && measured.errors.every(({ kind }) => kind === 'no connection');
  const ended = totals.endedEarly ?? (isGone ? 'target gone' : undefined);
  const bounds = withDoubts(judgeBounds(metrics, slos), measured);
  const broken = [
    ...bounds
      .filter(({ kept, inDoubt }) => !kept && !inDoubt && sent > 0)
      .map(({ name, actual }) => `${name} ${actual === undefined ? 'not measured' : `${short(actual)} ms`}`),
    ...(saturated ? ['the queue grows without end'] : []),
    ...(failed > mostErrors * (succeeded + failed) ? [`${failed} requests failed`] : []),
    ...(limited > 0 ? [`${limited} requests were refused with 429`] : []),
  ];
  const doubt = doubtWords(bounds, clientHealth);
  const undecided = [
    ...(ended === undefined ? [] : [earlyWords[ended]]),
    ...(isSilent
      ? [
          `the step was too short ${sent === 0 ? 'for a single request' : 'to tell whether the queue grows'}: give a longer --duration`,
        ]
      : []),
    ...(doubt === undefined ? [] : [doubt]),
    ...(isSpared(clientHealth) ? ['the client sent requests so late that the queue need not have grown'] : []),
  ];
  const { output_token_rate: tokens } = metrics;
  return {
    rate,
    within: broken.length === 0 && undecided.length === 0,
    saturated,
    clientLimited: clientHealth.isLimit,
    requests: succeeded,
    failed,
    limited,
    outputTokenRate: tokens && 'value' in tokens ? tokens.value : 0,
    statistics: Object.fromEntries(
      bounds.flatMap(({ name, actual }) => (actual === undefined ? [] : [[name, actual]])),
    ),
    broken,
    ...(undecided.length > 0 && { undecided }),
    totals,
    metrics,
    ended,
    isTooShort: isSilent && broken.length === 0,
  };
}

function capacityOf({ points: steps, held, broke }: Found<Step>, toRate: number): Capacity {
  const points = steps.map(
    ({ totals: _, metrics: __, ended: ___, isTooShort: ____, ...point }): CapacityPoint => point,
  );
  const withheld = reasonToWithhold(steps, held, broke, toRate);
  if (withheld !== undefined || held === undefined || broke === undefined) {
    return { points, withheld: withheld ?? 'the search was ended early' };
  }
  const repeats = steps.filter(({ rate }) => rate === held).map(({ outputTokenRate }) => outputTokenRate);
  const interval = meanInterval(repeats);
  return {
    points,
    rate: held,
    rateInterval: [held, broke.rate],
    outputTokenRate: mean(repeats),
    ...(interval && { outputTokenRateInterval: interval }),
  };
}

const earlyWords = {
  interrupted: 'the search was interrupted',
  'target gone': 'the target stopped answering',
} as const;

/** Why the figures are not the target's capacity. */
function reasonToWithhold(
  steps: readonly Step[],
  held: number | undefined,
  broke: Step | undefined,
  toRate: number,
): string | undefined {
  const last = steps.at(-1);
  if (last?.ended !== undefined) return earlyWords[last.ended];
  if (last !== undefined && last.limited > 0) {
    return `the limit of the key refused requests with 429 at ${short(last.rate)} req/s: give one without such a limit`;
  }
  const critical = last?.isTooShort ? last : broke;
  if (critical === undefined) return `every rate up to ${short(toRate)} req/s was within the SLOs: raise --rate`;
  const { broken, undecided = [], clientLimited, totals } = critical;
  const at = `at ${short(critical.rate)} req/s`;
  const reasons = [
    ...(clientLimited
      ? [
          `the client was the limit ${at} (${totals.clientHealth.reasons.join(', ')}): measure from a machine with more to spare, by more --workers, or past one machine by k6-operator`,
        ]
      : []),
    ...(broken.length === 0 ? undecided.map((reason) => `${at} ${reason}`) : []),
  ];
  if (reasons.length === 0) return held === undefined ? 'not even the lowest rate was within the SLOs' : undefined;
  return [...reasons, ...(held === undefined ? [] : [`${short(held)} req/s were carried`])].join('; ');
}
