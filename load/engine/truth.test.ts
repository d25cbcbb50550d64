import { expect, test } from 'vitest';
import type { Behaviour } from '../../reference-server/behaviour.ts';
import { asked } from '../../reference-server/change.ts';
import { stalling } from '../../reference-server/stall.ts';
import type { Distribution } from '../../specs/wire.ts';
import { Contact, learnWording } from '../target.ts';
import { jobFor, measureJob, startTarget, streams } from './test-rig.ts';

/** Records when a server took each request up, and when it handed each event with content to the socket. */
function recorder() {
  const requests = new Map<unknown, { begun: number; content: number[] }>();
  const behaviour: Behaviour = {
    generation(generation, exchange) {
      requests.set(exchange.body, { begun: performance.now(), content: [] });
      return generation;
    },
    async *parts(parts, exchange) {
      for await (const part of parts) {
        if (JSON.stringify(part).includes('"content"')) requests.get(exchange.body)?.content.push(performance.now());
        yield part;
      }
    },
  };
  return { behaviour, seen: () => [...requests.values()] };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const distribution = (metric: unknown) => metric as Distribution;

/** What the engine may add to a median: its own reading, and the way over the loopback. */
const errorMs = 5;

test('token counts are those that the server sent, and times agree with its own record of them', async () => {
  const { behaviour, seen } = recorder();
  const target = await startTarget({ behaviour, ttftMs: 80, tokensPerSecond: 50 });
  const { counts, metrics } = await measureJob(
    jobFor(
      target,
      { kind: 'constant', rate: 20 },
      { requests: 30, workload: { ...streams, outputTokens: { from: 5, to: 25 } } },
    ),
  );
  const requests = seen();
  const sent = requests.map(({ content }) => content);
  expect(requests).toHaveLength(30);
  expect(counts).toMatchObject({ sent: 30, succeeded: 30, failed: 0, outputTokens: sent.flat().length });

  const gaps = sent.flatMap((times) => times.slice(1).map((time, index) => time - (times[index] ?? 0)));
  const { icl, ttft_from_send, ttft, tpot, e2e_from_send } = metrics;
  expect(distribution(icl).count).toBe(gaps.length);
  expect(Math.abs((distribution(icl).percentiles['50'] ?? 0) - median(gaps))).toBeLessThan(errorMs);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  expect(Math.abs(distribution(icl).mean - mean)).toBeLessThan(errorMs);

  const toFirst = median(requests.map(({ begun, content }) => (content[0] ?? Number.NaN) - begun));
  const measured = distribution(ttft_from_send).percentiles['50'] ?? 0;
  expect(measured).toBeGreaterThanOrEqual(toFirst);
  expect(measured).toBeLessThan(toFirst + 10 * errorMs);
  // What is measured from the due time holds all that is measured from the sending, and the wait before it.
  expect(distribution(ttft).mean).toBeGreaterThanOrEqual(distribution(ttft_from_send).mean);

  const perToken = median(sent.map((times) => ((times.at(-1) ?? 0) - (times[0] ?? 0)) / (times.length - 1)));
  expect(Math.abs((distribution(tpot).percentiles['50'] ?? 0) - perToken)).toBeLessThan(errorMs);
  const lasted = median(requests.map(({ begun, content }) => (content.at(-1) ?? Number.NaN) - begun));
  expect(Math.abs((distribution(e2e_from_send).percentiles['50'] ?? 0) - lasted)).toBeLessThan(10 * errorMs);
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
  const { max, percentiles } = distribution(metrics.ttft);
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
