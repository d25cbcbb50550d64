import { setMaxListeners } from 'node:events';
import { Distribution, type PackedDistribution } from './distribution.ts';
import { type Ending, Flight } from './flight.ts';
import { type ProcessHealth, watchHealth } from './health.ts';
import type { Job } from './job.ts';
import { emptyPulse, type Pulse } from './pulse.ts';
import { randomOf } from './random.ts';
import { type Launch, sendAll } from './sending.ts';
import { type PackedTally, Tally } from './tally.ts';
import { openTransports } from './transport/transports.ts';
import { type Ask, askFor } from './wording.ts';

/** What one process measured, as it travels to the one that asked. */
export interface Measurement {
  readonly tally: PackedTally;
  readonly health: ProcessHealth;
  /** How long after its due time the client set about each request. */
  readonly lateness: PackedDistribution;
  readonly sockets: number;
  /** Why the run ended early, where it did. */
  readonly ended?: 'interrupted' | 'target gone';
}

export interface Watch {
  /** Ends the run: what is under way is left unfinished. */
  readonly signal: AbortSignal;
  /** Called now and then with the counters so far. */
  readonly onPulse?: (pulse: Pulse) => void;
  /** Told of each measured request that ended, in this process alone. */
  readonly onEnded?: (flight: Flight, ask: Ask) => void;
}

/** A target is gone when this many requests in a row, over this long, found no connection. */
const goneAfter = { requests: 20, ms: 3_000 };

interface UnderWay {
  readonly deadline: number;
  end(ending: Ending): void;
}

/**
 * Sends the requests of a job when they are due, however long the answers take, and measures them until the last has
 * ended. @param begin when the job begins, on the clock of `performance.now()`
 */
export async function measure(job: Job, begin: number, { signal, onPulse, onEnded }: Watch): Promise<Measurement> {
  const measuredFrom = begin + job.warmUpMs;
  const tally = new Tally(measuredFrom, job.slos, job.durationMs);
  const lateness = new Distribution();
  const pulse = emptyPulse();
  const transport = openTransports(job.endpoint, job.wording);
  const underWay = new Set<UnderWay>();
  const gone = new AbortController();
  const over = AbortSignal.any([signal, gone.signal]);
  // Every user that waits after a failure listens to it.
  setMaxListeners(0, over);
  const contact = watchContact(() => gone.abort());

  const launch: Launch = (index, due, onEnd, lengths) => {
    const ask = askFor(job.wording, randomOf(job.seed, index), lengths);
    const now = performance.now();
    const flight = new Flight(due, now, due >= measuredFrom, (ms) => tally.gap(ms));
    if (flight.measured) lateness.record(now - due);
    const request: UnderWay = { deadline: now + job.timeoutMs, end: () => {} };
    underWay.add(request);
    pulse.sent += 1;
    tally.sent(flight, underWay.size);
    request.end = transport.send(ask, flight, (ending) => {
      const at = performance.now();
      underWay.delete(request);
      tally.ended(flight, ending, at);
      contact(ending, at);
      beat(pulse, flight, ending);
      if (flight.measured) onEnded?.(flight, ask);
      onEnd(ending);
    });
  };

  const watched = watchHealth();
  const pulsing = onPulse && setInterval(() => onPulse({ ...pulse, inFlight: underWay.size }), 200);
  // All requests may take equally long, so that the oldest is always the first to be late.
  const sweeping = setInterval(
    () => {
      const now = performance.now();
      for (const { deadline, end } of underWay) {
        if (deadline > now) break;
        end({ failed: 'timeout' });
      }
    },
    Math.min(100, job.timeoutMs / 4),
  );
  const leave = () => {
    for (const { end } of [...underWay]) end('unfinished');
  };
  over.addEventListener('abort', leave);
  try {
    await sendAll(job, begin, over, launch);
  } finally {
    over.removeEventListener('abort', leave);
    clearInterval(sweeping);
    clearInterval(pulsing);
  }
  const health = watched();
  const { sockets } = transport;
  await transport.close();
  const ended = signal.aborted ? 'interrupted' : 'target gone';
  return {
    tally: tally.pack(),
    health,
    lateness: lateness.pack(),
    sockets,
    ...(over.aborted && { ended }),
  };
}

function beat(pulse: Pulse, { firstContent, due, pieces }: Flight, ending: Ending): void {
  pulse.ended += 1;
  pulse.pieces += pieces;
  if (ending === 'limited') pulse.limited += 1;
  else if (typeof ending === 'object') pulse.failed += 1;
  if (firstContent === undefined) return;
  pulse.ttftSum += firstContent - due;
  pulse.ttftCount += 1;
}

/** Calls `onGone` once every request for a while has found no connection. */
function watchContact(onGone: () => void): (ending: Ending, at: number) => void {
  let failures = 0;
  let since = 0;
  return (ending, at) => {
    if (typeof ending !== 'object' || !/^(no connection|connection lost)/.test(ending.failed)) {
      failures = 0;
      return;
    }
    if (failures === 0) since = at;
    failures += 1;
    if (failures >= goneAfter.requests && at - since >= goneAfter.ms) onGone();
  };
}
