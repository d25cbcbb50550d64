import { setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour } from './behaviour.ts';

/**
 * A server of which no token leaves in certain stretches of time, as one whose model is busy with something else. What
 * was due in a stretch comes at its end.
 * @param untilMs how long from a moment of `performance.now()` nothing leaves; 0 where something may
 */
export function stalling(untilMs: (now: number) => number): Behaviour {
  return {
    async *output(events) {
      for await (const event of events) {
        const wait = untilMs(performance.now());
        if (wait > 0) await sleep(wait);
        yield event;
      }
    },
  };
}
