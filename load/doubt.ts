import { type MetricName, metricOf } from '../specs/metrics.ts';
import type { BoundVerdict, ClientHealth, LoadResult } from '../specs/wire.ts';
import { lateAfterMs } from './engine/lane.ts';

/** A process of the client that uses this share of a core may add anything to what it measures. */
export const busiestCpu = 0.9;

/**
 * How late a client may be, its timers or one in a hundred of its sends, before it was the limit, in milliseconds: what
 * it adds matters where it is a share of what it measures. @param medianMs of what it measures
 */
export function toleranceOf(medianMs: number): number {
  return Math.max(lateAfterMs, medianMs / 10);
}

/** What a client did whose sends were later than is tolerated. */
export function lateWords({ count, p99Ms }: NonNullable<ClientHealth['lateSends']>, sent: number): string {
  return `sent ${count} of ${sent} requests late, by ${p99Ms.toFixed(0)} ms (p99)`;
}

/** Kinds of failures that are the client's own. */
export const isOfClient = (kind: string) => /this machine|fault of the client/.test(kind);

/** A client that sends later than this does not put on the target the load that was asked for. */
const sparesAfterMs = 1000;

/** Figures that count requests: a client that sent them all about when they were due changes these by its own failures alone. */
const counting: readonly MetricName[] = [
  'error_fraction',
  'limited_fraction',
  'requests_sent',
  'requests_succeeded',
  'requests_failed',
  'requests_limited',
];

/** Failures of a run, and how many of them may be the client's own. */
interface Failures {
  readonly all: number;
  readonly own: number;
}

/**
 * Marks the bounds that a client which was the limit could have decided by itself, whichever way they went: those on
 * latencies that are nearer to the bound than the client was late, those on rates, and those on counts that would not
 * be crossed without its own failures, or what it took for timeouts. Where requests were sent far too late, or not at
 * all, the target was spared, and nothing that was kept is certain.
 */
export function withDoubts(
  bounds: readonly BoundVerdict[],
  health: ClientHealth,
  errors: LoadResult['errors'],
): BoundVerdict[] {
  if (!health.isLimit) return [...bounds];
  const sum = (kinds: LoadResult['errors']) => kinds.reduce((total, { count }) => total + count, 0);
  const own = errors.filter(({ kind }) => isOfClient(kind) || kind === 'timeout');
  const failures = { all: sum(errors), own: sum(own) };
  return bounds.map((bound) => (isInDoubt(bound, health, failures) ? { ...bound, inDoubt: true } : bound));
}

/** Whether the target was asked for less than it was to be: requests went out far too late, or not at all. */
export function isSpared({ lateSends, droppedIterations = 0 }: ClientHealth): boolean {
  return droppedIterations > 0 || (lateSends?.p99Ms ?? 0) > sparesAfterMs;
}

function isInDoubt(bound: BoundVerdict, health: ClientHealth, failures: Failures): boolean {
  const { name, unit, actual, kept, atMost, atLeast } = bound;
  const { cpu = 0, eventLoopDelayMs, lateSends } = health;
  const metric = metricOf(name);
  // How late the client was is known, whatever else it spoiled.
  if (metric === 'late_send_fraction') return false;
  // Requests that it failed by itself might have been measured.
  if (actual === undefined) return failures.own > 0;
  if (kept && isSpared(health)) return true;
  if (counting.some((each) => each === metric)) return !kept && isOwnDoing(bound, actual, failures);
  if (unit !== 'ms' || cpu >= busiestCpu) return true;
  // What is said of one request in a thousand, or of the slowest, may be of the one that was latest.
  const late = /_(max|p99\.9)$/.test(name)
    ? Math.max(eventLoopDelayMs?.max ?? 0, lateSends?.maxMs ?? 0)
    : Math.max(eventLoopDelayMs?.p99 ?? 0, lateSends?.p99Ms ?? 0);
  return [atMost, atLeast].some((bound) => bound !== undefined && Math.abs(actual - bound) <= late);
}

/** Whether a count that crossed its bound would have kept it, had the client's own failures been what the bound asks for. */
function isOwnDoing({ name, atMost, atLeast }: BoundVerdict, actual: number, { all, own }: Failures): boolean {
  if (own === 0) return false;
  const isOfFailures = name === 'error_fraction' || name === 'requests_failed';
  if (atMost !== undefined && actual > atMost) return isOfFailures && actual * (1 - own / all) <= atMost;
  return atLeast !== undefined && !isOfFailures && name !== 'requests_sent' && actual + own >= atLeast;
}

/**
 * What becomes of a run by its bounds: a bound that was crossed for certain crosses it, and one in doubt leaves it
 * undecided, never green.
 */
export function outcomeOfBounds(bounds: readonly BoundVerdict[]): 'passed' | 'crossed' | 'incomplete' {
  if (bounds.some(({ kept, inDoubt }) => !kept && !inDoubt)) return 'crossed';
  return bounds.some(({ inDoubt }) => inDoubt) ? 'incomplete' : 'passed';
}
