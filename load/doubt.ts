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

/** Figures to which only requests that were answered whole add. */
const ofAnswers: readonly MetricName[] = ['request_rate', 'goodput', 'output_token_rate'];

/** What a bound is judged beside. */
type Seen = Pick<LoadResult, 'clientHealth' | 'errors' | 'requests'>;

/** What became of the requests of a run: answers, failures, and how many of those may be the client's own. */
interface Endings {
  readonly answered: number;
  readonly failed: number;
  readonly own: number;
}

/**
 * Marks the bounds that the client could have decided by itself. Where it was the limit these are, whichever way they
 * went, those on latencies that are nearer to the bound than the client was late, those on rates, and those on counts
 * that would not be crossed without its own failures, or what it took for timeouts. Where requests were sent far too
 * late, or not at all, the target was spared, and nothing that was kept is certain. Where it was not the limit these are
 * the bounds on the slowest of all that one moment in which it stood still may have crossed.
 */
export function withDoubts(bounds: readonly BoundVerdict[], { clientHealth, errors, requests }: Seen): BoundVerdict[] {
  const own = errors.filter(({ kind }) => isOfClient(kind) || kind === 'timeout');
  const endings = {
    answered: requests.succeeded,
    failed: requests.failed,
    own: own.reduce((total, { count }) => total + count, 0),
  };
  return bounds.map((bound) => {
    const inDoubt = clientHealth.isLimit ? isInDoubt(bound, clientHealth, endings) : isOfOneMoment(bound, clientHealth);
    return inDoubt ? { ...bound, inDoubt } : bound;
  });
}

/** Why bounds are in doubt, and which; `undefined` where none is. */
export function doubtWords(bounds: readonly BoundVerdict[], health: ClientHealth): string | undefined {
  const doubted = bounds.filter(({ inDoubt }) => inDoubt).map(({ name }) => name);
  if (doubted.length === 0) return undefined;
  const why = health.isLimit ? 'was the limit' : `stood still for ${latestOf(health).toFixed(0)} ms`;
  return `the client ${why}, which leaves ${doubted.join(', ')} in doubt`;
}

/** Whether the target was asked for less than it was to be: requests went out far too late, or not at all. */
export function isSpared({ lateSends, droppedIterations = 0 }: ClientHealth): boolean {
  return droppedIterations > 0 || (lateSends?.p99Ms ?? 0) > sparesAfterMs;
}

/** Statistics that are of one request in a thousand, or of the slowest: it may be the one for which the client was latest. */
const isOfSlowest = (name: string) => /_(max|p99\.9)$/.test(name);

/** The latest that the client was, in milliseconds. */
function latestOf({ eventLoopDelayMs, lateSends }: ClientHealth): number {
  return Math.max(eventLoopDelayMs?.max ?? 0, lateSends?.maxMs ?? 0);
}

function isOfOneMoment({ name, unit, actual, kept, atMost }: BoundVerdict, health: ClientHealth): boolean {
  if (kept || unit !== 'ms' || actual === undefined || atMost === undefined || !isOfSlowest(name)) return false;
  return actual > atMost && actual - latestOf(health) <= atMost;
}

function isInDoubt(bound: BoundVerdict, health: ClientHealth, endings: Endings): boolean {
  const { name, unit, actual, kept, atMost, atLeast } = bound;
  const { cpu = 0, eventLoopDelayMs, lateSends } = health;
  const metric = metricOf(name);
  // How late the client was is known, whatever else it spoiled.
  if (metric === 'late_send_fraction') return false;
  // Requests that it failed by itself might have been measured.
  if (actual === undefined) return endings.own > 0;
  if (kept && isSpared(health)) return true;
  if (counting.some((each) => each === metric)) return !kept && isOwnDoing(bound, actual, endings);
  if (!kept && isOutOfReach(bound, actual, endings)) return false;
  if (unit !== 'ms' || cpu >= busiestCpu) return true;
  const late = isOfSlowest(name) ? latestOf(health) : Math.max(eventLoopDelayMs?.p99 ?? 0, lateSends?.p99Ms ?? 0);
  return [atMost, atLeast].some((bound) => bound !== undefined && Math.abs(actual - bound) <= late);
}

/** Whether a count that crossed its bound would have kept it, had the client's own failures been what the bound asks for. */
function isOwnDoing({ name, atMost, atLeast }: BoundVerdict, actual: number, { failed, own }: Endings): boolean {
  if (own === 0) return false;
  const isOfFailures = name === 'error_fraction' || name === 'requests_failed';
  if (atMost !== undefined && actual > atMost) return isOfFailures && actual * (1 - own / failed) <= atMost;
  return atLeast !== undefined && !isOfFailures && name !== 'requests_sent' && actual + own >= atLeast;
}

/** Whether the target itself failed so many requests that no client would have found the bound kept. */
function isOutOfReach({ name, atLeast }: BoundVerdict, actual: number, { answered, failed, own }: Endings): boolean {
  if (atLeast === undefined || actual >= atLeast) return false;
  const others = answered + own;
  if (name === 'goodput_fraction') return others < atLeast * (answered + failed);
  return others === 0 && actual === 0 && ofAnswers.some((each) => each === name);
}

/**
 * What becomes of a run by its bounds: a bound that was crossed for certain crosses it, and one in doubt leaves it
 * undecided, never green.
 */
export function outcomeOfBounds(bounds: readonly BoundVerdict[]): 'passed' | 'crossed' | 'incomplete' {
  if (bounds.some(({ kept, inDoubt }) => !kept && !inDoubt)) return 'crossed';
  return bounds.some(({ inDoubt }) => inDoubt) ? 'incomplete' : 'passed';
}
