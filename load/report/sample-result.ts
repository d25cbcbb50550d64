import type { CapacityPoint, LoadResult } from '../../specs/wire.ts';
import { judgeBounds } from '../bounds.ts';
import { type Ending, Flight } from '../engine/flight.ts';
import { randomFrom } from '../engine/random.ts';
import { Tally } from '../engine/tally.ts';
import { metricsOf } from '../summary.ts';
import { measuredOf } from '../traffic.ts';

interface Traits {
  /** Milliseconds of every latency, times this. */
  readonly slower?: number;
  readonly requests?: number;
  readonly seed?: number;
  readonly failEvery?: number;
}

/** A result of requests that a generator made up: TTFT about 200 ms, TPOT about 20 ms, ten tokens, forty a second. */
export function sampleResult({ slower = 1, requests = 800, seed = 1, failEvery = 50 }: Traits = {}): LoadResult {
  const random = randomFrom(seed);
  const slos = { ttft_p95: 500 };
  const tally = new Tally(0, slos);
  for (let index = 0; index < requests; index += 1) {
    const due = index * 25;
    const flight = new Flight(due, due, true, (ms) => tally.gap(ms));
    tally.sent(flight, 1 + Math.floor(random() * 9));
    flight.sent = due + 1;
    let at = due + slower * (150 + 100 * random());
    for (let token = 0; token < 10; token += 1) {
      flight.content(at);
      at += slower * (15 + 10 * random());
    }
    flight.usage({ prompt_tokens: 8, completion_tokens: 10 });
    const ending: Ending = index % failEvery === failEvery - 1 ? { failed: 'status 503' } : 'succeeded';
    tally.ended(flight, ending, at);
  }
  const metrics = metricsOf(tally);
  return {
    format: 'stack29-load/1',
    tool: 'stack29-conformance 0.0.0',
    engine: 'embedded',
    command: 'stack29-conformance load steady --url http://127.0.0.1:3000/v1',
    target: { url: 'http://127.0.0.1:3000/v1', model: '<b>maker</b>/small' },
    profile: {
      kind: 'traffic',
      name: 'sample',
      description: 'made up',
      workload: { promptTokens: 8, outputTokens: 10, transports: { sse: 1 } },
      arrival: { kind: 'constant', rate: 40 },
      durationSeconds: 20,
      slos,
    },
    seed,
    workers: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    ...measuredOf({
      tally,
      endedEarly: undefined,
      clientHealth: { isLimit: false, reasons: [], cpu: 0.25, sockets: 9 },
    }),
    metrics,
    bounds: judgeBounds(metrics, slos, { error_fraction: { atMost: 0.01 } }),
    notes: ['</script> is text'],
    outcome: 'crossed',
  };
}

/** The same, of a search that found 40 requests a second. */
export function sampleCapacity(): LoadResult {
  const point = (rate: number, ttft: number): CapacityPoint => ({
    rate,
    within: rate <= 40,
    saturated: rate > 50,
    clientLimited: false,
    requests: 100,
    failed: 0,
    limited: 0,
    outputTokenRate: 10 * Math.min(rate, 45),
    statistics: { ttft_p95: ttft },
    broken: rate <= 40 ? [] : [`ttft_p95 ${ttft} ms`],
  });
  return {
    ...sampleResult(),
    capacity: {
      points: [point(10, 200), point(20, 210), point(40, 300), point(80, 4_000), point(56, 900), point(40, 310)],
      rate: 40,
      rateInterval: [40, 56],
      outputTokenRate: 400,
      outputTokenRateInterval: [390, 410],
    },
  };
}
