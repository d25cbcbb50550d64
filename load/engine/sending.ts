import { setTimeout as sleep } from 'node:timers/promises';
import type { Ending } from './flight.ts';
import type { Job } from './job.ts';
import { pauseMs } from './lane.ts';
import { type Due, type Lengths, openSchedule } from './schedule.ts';

/**
 * Sends request number `index` of the whole run, due at `due` on the clock of `performance.now()`; `onEnd` is called
 * when it has ended.
 */
export type Launch = (index: number, due: number, onEnd: (ending: Ending) => void, lengths?: Lengths) => void;

/** Sends everything that a job's arrival asks of this process; settles when the last request has ended. */
export function sendAll(job: Job, begin: number, signal: AbortSignal, launch: Launch): Promise<void> {
  return job.arrival.kind === 'closed'
    ? sendInLanes(job, job.arrival.concurrency, begin, signal, launch)
    : sendWhenDue(openSchedule(job), begin, signal, launch);
}

/**
 * Requests that are sent before what has arrived is read: to open a connection takes a good part of a millisecond, by
 * which what waits to be read would seem late.
 */
const sendsAtATime = 8;

/**
 * One timer for all requests: it sends whatever is due by the clock, so that a late timer delays a request and never
 * the rate.
 */
function sendWhenDue(schedule: Iterator<Due>, begin: number, signal: AbortSignal, launch: Launch): Promise<void> {
  return new Promise((resolve) => {
    let next = schedule.next();
    let underWay = 0;
    let timer: NodeJS.Timeout | undefined;
    const settle = () => {
      if ((next.done || signal.aborted) && underWay === 0) resolve();
    };
    const onEnd = () => {
      underWay -= 1;
      settle();
    };
    const tick = () => {
      for (let sends = 0; !next.done && !signal.aborted; sends += 1) {
        const { index, at, lengths } = next.value;
        const wait = begin + at - performance.now();
        if (wait > 0) {
          timer = setTimeout(tick, wait);
          return;
        }
        if (sends === sendsAtATime) {
          setImmediate(tick);
          return;
        }
        underWay += 1;
        launch(index, begin + at, onEnd, lengths);
        next = schedule.next();
      }
      settle();
    };
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      settle();
    });
    tick();
  });
}

/** Each lane sends its next request when its last has ended. */
async function sendInLanes(
  { warmUpMs, durationMs = Number.POSITIVE_INFINITY, requests = Number.POSITIVE_INFINITY, share }: Job,
  concurrency: number,
  begin: number,
  signal: AbortSignal,
  launch: Launch,
): Promise<void> {
  const own = (total: number) => Math.ceil((total - share.index) / share.of);
  const most = own(requests);
  let sent = 0;
  let measured = 0;
  const lane = async () => {
    await sleep(Math.max(0, begin - performance.now()));
    while (!signal.aborted) {
      const due = performance.now();
      if (due >= begin + warmUpMs + durationMs || measured >= most) return;
      if (due >= begin + warmUpMs) measured += 1;
      const index = sent * share.of + share.index;
      sent += 1;
      const ending = await new Promise<Ending>((onEnd) => launch(index, due, onEnd));
      if (ending !== 'succeeded') await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  };
  await Promise.all(Array.from({ length: own(concurrency) }, lane));
}
