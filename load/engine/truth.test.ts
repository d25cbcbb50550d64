import { expect, test } from 'vitest';
import type { Exchange } from '../../reference-server/admission.ts';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import { asked } from '../../reference-server/change.ts';
import { stalling } from '../../reference-server/stall.ts';
import type { Distribution } from '../../specs/wire.ts';
import { Contact, learnWording } from '../target.ts';
import type { Flight } from './flight.ts';
import { jobFor, measureJob, startTarget, streams } from './test-rig.ts';

/** When a server took a request up, and when it handed each event with content to the socket. */
interface Served {
  readonly begun: number;
  readonly content: number[];
}

/** Records what a server does with each request, by its prompt. */
function recorder() {
  const served = new Map<string, Served>();
  const promptOf = (exchange: Exchange) => JSON.stringify(asked(exchange).messages);
  const behaviour: Behaviour = {
    generation(generation, exchange) {
      served.set(promptOf(exchange), { begun: performance.now(), content: [] });
      return generation;
    },
    async *parts(parts, exchange) {
      for await (const part of parts) {
        const isContent = JSON.stringify(part).includes('"content"');
        if (isContent) served.get(promptOf(exchange))?.content.push(performance.now());
        yield part;
      }
    },
  };
  return { behaviour, served };
}

function percentileOf(values: readonly number[], percentile: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor((percentile / 100) * sorted.length))] ?? Number.NaN;
}

const distribution = (metric: unknown) => metric as Distribution;

/** What the engine, the way over the loopback, and a machine that does something else may add to a median. */
const errorMs = 5;

test('request by request, tokens and times are those of the own record of the server', async () => {
  const { behaviour, served } = recorder();
  const target = await startTarget({ behaviour, ttftMs: 80, tokensPerSecond: 50 });
  const seen: { readonly flight: Flight; readonly served: Served }[] = [];
  const job = jobFor(
    target,
    { kind: 'constant', rate: 20 },
    { requests: 40, workload: { ...streams, outputTokens: { from: 5, to: 25 } } },
  );
  // What is compiled for the first requests delays them, and nothing that is measured after.
  await measureJob({ ...job, requests: 3, seed: 1 });
  const { counts, metrics, clientHealth } = await measureJob(job, {
    onEnded(flight, { messages }) {
      const truth = served.get(JSON.stringify(messages));
      if (truth) seen.push({ flight, served: truth });
    },
  });
  expect(seen).toHaveLength(40);
  const tokens = seen.reduce((sum, { served: { content } }) => sum + content.length, 0);
  expect(counts).toMatchObject({ sent: 40, succeeded: 40, failed: 0, outputTokens: tokens });

  // Server and engine share a clock here, so that each moment can be compared with the one that caused it.
  const errors = seen.map(({ flight, served: { begun, content } }) => {
    const { sent = Number.NaN, firstContent = Number.NaN, lastContent = Number.NaN } = flight;
    const [first = Number.NaN, last = Number.NaN] = [content[0], content.at(-1)];
    return {
      pieces: flight.pieces - content.length,
      there: begun - sent,
      first: firstContent - first,
      last: lastContent - last,
      ttft: firstContent - sent - (first - begun),
      e2e: lastContent - sent - (last - begun),
    };
  });
  const of = (part: keyof (typeof errors)[number]) => errors.map((error) => error[part]);
  expect(of('pieces')).toEqual(of('pieces').map(() => 0));
  // Nothing is seen before it happened.
  for (const part of ['there', 'first', 'last'] as const) expect(Math.min(...of(part))).toBeGreaterThanOrEqual(0);
  // A late event loop delays server and engine alike, and is no error of the engine's arithmetic.
  const most = errorMs + (clientHealth.eventLoopDelayMs?.p99 ?? 0);
  for (const part of ['ttft', 'e2e'] as const) {
    const [p50, p99] = [percentileOf(of(part), 50), percentileOf(of(part), 99)];
    expect([part, p50, p99]).toEqual([part, expect.toSatisfy((error: number) => error < most), p99]);
  }

  // The percentiles that are reported are those of the requests, to the three digits of their histogram.
  const reported = distribution(metrics.ttft_from_send);
  const measured = seen.map(({ flight: { sent = 0, firstContent = 0 } }) => firstContent - sent);
  expect(reported.mean).toBeCloseTo(measured.reduce((sum, ms) => sum + ms, 0) / measured.length, 6);
  for (const percentile of [50, 90]) {
    const exact =
      measured.toSorted((one, other) => one - other)[Math.ceil((percentile / 100) * measured.length) - 1] ?? 0;
    expect(Math.abs((reported.percentiles[percentile] ?? 0) - exact)).toBeLessThan(exact / 500);
  }
  // What is measured from the due time holds all that is measured from the sending, and the wait before it.
  expect(distribution(metrics.ttft).mean).toBeGreaterThanOrEqual(reported.mean);

  // Gaps add up to what lies between the first and the last piece, which the server knows.
  const { icl, tpot } = metrics;
  const gaps = seen.flatMap(({ served: { content } }) =>
    content.slice(1).map((at, index) => at - (content[index] ?? 0)),
  );
  expect(distribution(icl).count).toBe(gaps.length);
  expect(Math.abs((distribution(icl).percentiles['50'] ?? 0) - percentileOf(gaps, 50))).toBeLessThan(most);
  const perToken = seen.map(
    ({ served: { content } }) => ((content.at(-1) ?? 0) - (content[0] ?? 0)) / (content.length - 1),
  );
  expect(Math.abs((distribution(tpot).percentiles['50'] ?? 0) - percentileOf(perToken, 50))).toBeLessThan(most);
});

test('a stall of a second is seen by every request that was due in it', async () => {
  let begin = Number.NaN;
  const behaviour = stalling((now) => {
    if (Number.isNaN(begin)) begin = now;
    return now - begin >= 1_000 ? Math.max(0, begin + 2_000 - now) : 0;
  });
  const target = await startTarget({ behaviour });
  const { counts, metrics } = await measureJob(
    jobFor(target, { kind: 'constant', rate: 40 }, { durationMs: 3_000, workload: { ...streams, outputTokens: 2 } }),
  );
  expect(counts).toMatchObject({ sent: 120, succeeded: 120 });
  const { percentiles, max } = distribution(metrics.ttft);
  // A third of the requests was due in the stall, and waited from all of it to nothing.
  expect(percentiles['99']).toBeGreaterThan(900);
  expect(percentiles['90']).toBeGreaterThan(500);
  expect(max).toBeGreaterThan(950);
});

test('a client that waits for answers is told from the figures: one user hides the same stall', async () => {
  let begin = Number.NaN;
  const behaviour = stalling((now) => {
    if (Number.isNaN(begin)) begin = now;
    return now - begin >= 500 ? Math.max(0, begin + 1_500 - now) : 0;
  });
  const target = await startTarget({ behaviour, ttftMs: 10 });
  const { counts, metrics } = await measureJob(
    jobFor(
      target,
      { kind: 'closed', concurrency: 1 },
      { durationMs: 3_000, workload: { ...streams, outputTokens: 2 } },
    ),
  );
  expect(counts.succeeded).toBeGreaterThan(20);
  // The stall falls before the first token of a request, or before its second.
  const { max, percentiles } = distribution(metrics.e2e);
  expect(max).toBeGreaterThan(900);
  expect(percentiles['90']).toBeLessThan(max / 2);
});

test('what is asked for is what the profile says: lengths, transports, tools', async () => {
  const bodies: Readonly<Record<string, unknown>>[] = [];
  const behaviour: Behaviour = {
    body(body, exchange) {
      bodies.push(asked({ ...exchange, body }));
      return body;
    },
  };
  const target = await startTarget({ behaviour });
  const workload = { promptTokens: 60, outputTokens: 3, transports: { json: 1, sse: 1 }, tools: true, temperature: 0 };
  const contact = new Contact(target, new AbortController().signal);
  const wording = await learnWording(contact, workload, undefined);
  await contact.close();
  bodies.length = 0;
  const { counts } = await measureJob(jobFor(target, { kind: 'closed', concurrency: 3 }, { requests: 40, wording }));
  expect(counts).toMatchObject({ succeeded: 40, promptTokens: 2_400, outputTokens: 120 });
  expect(bodies).toHaveLength(40);
  for (const body of bodies)
    expect(body).toMatchObject({ max_tokens: 3, temperature: 0, tools: [{ type: 'function' }] });
  const streamed = bodies.filter(({ stream }) => stream === true).length;
  expect(streamed).toBeGreaterThan(8);
  expect(streamed).toBeLessThan(32);
});
