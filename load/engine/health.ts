import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What a process of the client saw of itself. */
export interface ProcessHealth {
  readonly eventLoopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Processor time over wall time. */
  readonly cpu: number;
  /** Megabytes, at most. */
  readonly memoryMb: number;
}

/** Every how many milliseconds the loop's delay is measured; Node counts this interval as delay. */
const resolutionMs = 10;

/** Watches this process until the function that it gives back is called. */
export function watchHealth(): () => ProcessHealth {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  const cpu = process.cpuUsage();
  const begin = performance.now();
  let memory = process.memoryUsage.rss();
  const sampling = setInterval(() => {
    memory = Math.max(memory, process.memoryUsage.rss());
  }, 500);
  const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolutionMs);
  return () => {
    clearInterval(sampling);
    delay.disable();
    const { user, system } = process.cpuUsage(cpu);
    // Without a sample the histogram gives NaN or its bounds.
    const hasSamples = delay.count > 0;
    return {
      eventLoopDelayMs: {
        p50: hasSamples ? ms(delay.percentile(50)) : 0,
        p99: hasSamples ? ms(delay.percentile(99)) : 0,
        max: hasSamples ? ms(delay.max) : 0,
      },
      cpu: (user + system) / 1000 / Math.max(1, performance.now() - begin),
      memoryMb: memory / 2 ** 20,
    };
  };
}
