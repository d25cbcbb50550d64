import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import { type Measurement, measure, type Watch } from '../load/engine/engine.ts';
import type { Job } from '../load/engine/job.ts';

const seconds = 4;
const rounds = 3;

const server = fork(new URL('./bench-load-target.js', import.meta.url), {
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
});
const [port] = await once(server, 'message');
const origin = `http://127.0.0.1:${port}`;

/** A job against the server, of which `model` says how it answers. */
function job(model: string, concurrency: number, outputTokens: number, changes: Partial<Job> = {}): Job {
  return {
    endpoint: { url: `${origin}/v1`, key: 'sk-bench', headers: {}, ca: undefined, insecure: false },
    wording: {
      model,
      workload: { promptTokens: 8, outputTokens, transports: model === 'plain' ? { json: 1 } : { sse: 1 } },
      askUsage: false,
      promptCost: { fixed: 0, perWord: 1 },
    },
    arrival: { kind: 'closed', concurrency },
    warmUpMs: 0,
    durationMs: seconds * 1000,
    timeoutMs: 60_000,
    slos: {},
    seed: 29,
    share: { index: 0, of: 1 },
    ...changes,
  };
}

async function run(of: Job, onEnded: Watch['onEnded'] = () => {}): Promise<Measurement> {
  return measure(of, performance.now(), { signal: new AbortController().signal, onEnded });
}

function percentileOf(values: readonly number[], percentile: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor((percentile / 100) * sorted.length))] ?? Number.NaN;
}

/** Requests, by the wall and by this process's processor time. */
interface Speed {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

async function speedOf(requests: () => Promise<number>): Promise<Speed> {
  const [begin, cpu] = [performance.now(), process.cpuUsage()];
  const count = await requests();
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (count * 1000) / (performance.now() - begin), perCpuSecond: (count * 1e6) / (user + system) };
}

async function byAutocannon(): Promise<number> {
  const result = await autocannon({
    url: `${origin}/v1/chat/completions`,
    connections: 50,
    duration: seconds,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench' },
    body: JSON.stringify({ model: 'plain', messages: [{ role: 'user', content: 'a b c d e f g h' }], max_tokens: 2 }),
  });
  return result.requests.total;
}

/** Requests a second of wrk; `undefined` where it is not installed. */
async function byWrk(): Promise<number | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'stack29-bench-'));
  const script = join(folder, 'post.lua');
  await writeFile(script, 'wrk.method="POST" wrk.body="{}" wrk.headers["content-type"]="application/json"');
  try {
    const options = ['-t1', '-c50', `-d${seconds}`, '-s', script, `${origin}/v1/chat/completions`];
    const { stdout } = await promisify(execFile)('wrk', options);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  } catch {
    return undefined;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What the server itself saw of the paced streams since the last call. */
interface Truth {
  /** The body of each request, and when it had come and its first piece was written, on the system's clock. */
  readonly sent: readonly (readonly [body: string, taken: number, written: number])[];
  /** 99 in 100. */
  readonly loopDelayMs: number;
  /** Processor time of the server. */
  readonly cpuMs: number;
}

async function readTruth(): Promise<Truth> {
  return (await (await fetch(`${origin}/sent`)).json()) as Truth;
}

/** From `performance.now()` to the clock that the server tells of. */
const toSystem = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** How much longer the engine found each first piece to take than the server did: on the way there, and back. */
function errorsOf(seen: readonly (readonly [prompt: string, sent: number, first: number])[], { sent }: Truth) {
  const truth = new Map(sent.map(([body, ...times]) => [JSON.parse(body).messages[0].content as string, times]));
  return seen.flatMap(([prompt, begun, first]) => {
    const [taken, written] = truth.get(prompt) ?? [];
    if (taken === undefined || written === undefined) return [];
    const [there, back] = [taken - begun - toSystem, first + toSystem - written];
    return [{ there, back, all: there + back }];
  });
}

/** Milliseconds that the cores of the machine were busy and idle since it started. */
function coreTimes(): { readonly busy: number; readonly idle: number } {
  const sum = { busy: 0, idle: 0 };
  for (const { times } of cpus()) {
    sum.busy += times.user + times.nice + times.sys + times.irq;
    sum.idle += times.idle;
  }
  return sum;
}

/** A machine whose cores were idle for less than this share has no core free when one is wanted. */
const idleOfUnsaturated = 0.1;

function row(what: string, value: string, goal = ''): void {
  console.log(`${what.padEnd(64)} ${value.padStart(12)}${goal && `   goal ${goal}`}`);
}

async function benchRequests(): Promise<void> {
  const [own, others, ofWrk]: [Speed[], Speed[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    own.push(await speedOf(async () => (await run(job('plain', 50, 2))).tally.counts.succeeded));
    others.push(await speedOf(byAutocannon));
    const perSecond = await byWrk();
    if (perSecond !== undefined) ofWrk.push(perSecond);
  }
  for (const [name, words, goal] of [
    ['perSecond', 'a second', '0.8 or more'],
    ['perCpuSecond', 'a second of processor time', ''],
  ] as const) {
    const [ours, theirs] = [own, others].map((speeds) =>
      percentileOf(
        speeds.map((speed) => speed[name]),
        50,
      ),
    ) as [number, number];
    row(`REST requests ${words}, 50 connections (median of ${rounds})`, ours.toFixed(0));
    row('  the same of autocannon', theirs.toFixed(0));
    row('  ratio', (ours / theirs).toFixed(2), goal);
  }
  row('REST requests a second of wrk', ofWrk.length === 0 ? 'no wrk here' : percentileOf(ofWrk, 50).toFixed(0));
}

async function benchChunks(): Promise<void> {
  const before = process.cpuUsage();
  const { tally } = await run(job('flood', 10, 2_000));
  const used = process.cpuUsage(before);
  row(
    'streamed chunks per second of processor',
    ((tally.counts.outputTokens * 1e6) / (used.user + used.system)).toFixed(0),
    '300000 or more',
  );
}

/** A stream of the paced kind takes this long. */
const streamSeconds = 2.3;

async function benchTruth(streams: number): Promise<void> {
  await readTruth();
  const memory = process.memoryUsage.rss();
  const [begin, cores] = [performance.now(), coreTimes()];
  const arrival = { kind: 'constant', rate: streams / streamSeconds } as const;
  const seen: [string, number, number][] = [];
  // Measured from when all streams are there and their connections stand.
  const paced = job('pace', streams, 11, {
    arrival,
    warmUpMs: streamSeconds * 1000,
    durationMs: 2 * streamSeconds * 1000,
  });
  const measurement = await run(paced, ({ sent, firstContent }, { messages }) => {
    if (sent !== undefined && firstContent !== undefined) seen.push([messages[0]?.content ?? '', sent, firstContent]);
  });
  const [tookMs, after] = [performance.now() - begin, coreTimes()];
  const idle = (after.idle - cores.idle) / (after.idle - cores.idle + after.busy - cores.busy);
  const truth = await readTruth();
  const errors = errorsOf(seen, truth);
  row(`TTFT error of ${errors.length} requests, ${measurement.sockets} streams at a time`, 'p50, p90, p99');
  for (const part of ['all', 'there', 'back'] as const) {
    const values = errors.map((error) => error[part]);
    const shown = [50, 90, 99].map((percentile) => percentileOf(values, percentile).toFixed(1)).join(', ');
    const goal = part === 'all' && streams === 2_000 ? 'p99 under 5 ms on a machine that is not saturated' : '';
    row(
      `  ${{ all: 'request by request', there: 'until the server had it', back: 'from its write to our read' }[part]}`,
      `${shown} ms`,
      goal,
    );
  }
  const { eventLoopDelayMs, cpu } = measurement.health;
  row(
    '  event loop late (p99), the engine and the server',
    `${eventLoopDelayMs.p99.toFixed(1)}, ${truth.loopDelayMs.toFixed(1)} ms`,
  );
  const percent = (share: number) => `${(100 * share).toFixed(0)}%`;
  row('  processor of the engine, of the server', `${percent(cpu)}, ${percent(truth.cpuMs / tookMs)} of a core`);
  row('  cores of the machine idle', `${percent(idle)}${idle < idleOfUnsaturated ? ': saturated' : ''}`);
  if (streams < 2_000) return;
  const perThousand = (measurement.health.memoryMb - memory / 2 ** 20) / (measurement.sockets / 1000);
  row('memory per 1,000 open streams', `${perThousand.toFixed(1)} MB`);
}

/** What to print; all of it, unless one part is named. */
const parts: Readonly<Record<string, () => Promise<void>>> = {
  requests: benchRequests,
  chunks: benchChunks,
  async truth() {
    for (const streams of [50, 500, 2_000]) await benchTruth(streams);
  },
};
const named = process.argv[2];
for (const [name, bench] of Object.entries(parts)) if (named === undefined || named === name) await bench();
server.disconnect();
