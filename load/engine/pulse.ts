/** Counters of a run as it goes, warm-up included; those of processes add up. */
export interface Pulse {
  sent: number;
  ended: number;
  failed: number;
  limited: number;
  inFlight: number;
  /** Pieces of content of requests that ended. */
  pieces: number;
  /** Milliseconds of all TTFTs together, and how many they are. */
  ttftSum: number;
  ttftCount: number;
}

export function emptyPulse(): Pulse {
  return { sent: 0, ended: 0, failed: 0, limited: 0, inFlight: 0, pieces: 0, ttftSum: 0, ttftCount: 0 };
}

export function addPulses(pulses: Iterable<Pulse>): Pulse {
  const sum = emptyPulse();
  for (const pulse of pulses) {
    for (const name of Object.keys(sum) as (keyof Pulse)[]) sum[name] += pulse[name];
  }
  return sum;
}
