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

/**
 * Marks the bounds that a client which was the limit could have decided by itself, whichever way they went: those on
 * latencies that are nearer to the bound than the client was late, those on rates, and those on counts that its own
 * failures, or what it took for timeouts, crossed. Where requests were sent far too late, or not at all, the target was
 * spared, and nothing that was kept is certain.
 */
export function withDoubts(
  bounds: readonly BoundVerdict[],
  health: ClientHealth,
  errors: LoadResult['errors'],
): BoundVerdict[] {
  if (!health.isLimit) return [...bounds];
  const hasOwnFailures = errors.some(({ kind }) => isOfClient(kind) || kind === 'timeout');
  return bounds.map((bound) => (isInDoubt(bound, health, hasOwnFailures) ? { ...bound, inDoubt: true } : bound));
}

/** Whether the target was asked for less than it was to be: requests went out far too late, or not at all. */
export function isSpared({ lateSends, droppedIterations = 0 }: ClientHealth): boolean {
  return droppedIterations > 0 || (lateSends?.p99Ms ?? 0) > sparesAfterMs;
}

function isInDoubt(
  { name, unit, actual, kept, atMost, atLeast }: BoundVerdict,
  health: ClientHealth,
  hasOwnFailures: boolean,
): boolean {
  const { cpu = 0, eventLoopDelayMs, lateSends } = health;
  // How late the client was is known, whatever else it spoiled.
  if (actual === undefined || metricOf(name) === 'late_send_fraction') return false;
  if (kept && isSpared(health)) return true;
  if (counting.some((metric) => metric === metricOf(name))) return !kept && hasOwnFailures;
  if (unit !== 'ms' || cpu >= busiestCpu) return true;
  const late = Math.max(eventLoopDelayMs?.p99 ?? 0, lateSends?.p99Ms ?? 0);
  return [atMost, atLeast].some((bound) => bound !== undefined && Math.abs(actual - bound) <= late);
}

/**
 * What becomes of a run by its bounds: a bound that was crossed for certain crosses it, and one in doubt leaves it
 * undecided, never green.
 */
export function outcomeOfBounds(bounds: readonly BoundVerdict[]): 'passed' | 'crossed' | 'incomplete' {
  if (bounds.some(({ kept, inDoubt }) => !kept && !inDoubt)) return 'crossed';
  return bounds.some(({ inDoubt }) => inDoubt) ? 'incomplete' : 'passed';
}
