import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { GgufStartError } from '../reference-server/backends/gguf-client.ts';
import { type GgufOptions, type GpuName, gpuNames, gpuOf } from '../reference-server/backends/gguf-protocol.ts';
import { TargetProblem } from '../suites/baseline.ts';
import { numberOf } from '../suites/command/values.ts';
import { SubjectProblem } from './bench-server/chat-client.ts';
import { type Figures, nameOf, type Speeds, tableOf } from './bench-server/figures.ts';
import { largestGap, promptMaker, timesToFirst } from './bench-server/latency.ts';
import { measureReuse } from './bench-server/reuse.ts';
import { type Spread, spreadOf } from './bench-server/statistics.ts';
import { llamaServer, rawModel, referenceServer, type Subject } from './bench-server/subjects.ts';
import type { Workload } from './bench-server/workload.ts';

interface Choices {
  readonly model: string;
  readonly gpu: GpuName;
  readonly llamaServer?: string;
  readonly seconds: number;
  readonly rounds: number;
  readonly promptTokens: number;
  readonly out?: string;
  readonly row?: readonly Figures[];
}

const shipped = new URL('../fixtures/model/stack29-tiny.gguf', import.meta.url).pathname;
const streamCounts = [1, 4, 8] as const;
/** Of each answer. */
const maxTokens = 256;

async function measureSpeeds(subjects: readonly Subject[], workload: Workload, rounds: number): Promise<Speeds> {
  for (const subject of subjects) await subject.generate({ ...workload, durationMs: 200 });
  const seen = subjects.map(({ name }) => ({ name, rates: [] as number[] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const [place, subject] of subjects.entries()) {
      const tokens = await subject.generate(workload);
      seen[place]?.rates.push((tokens * 1000) / workload.durationMs);
    }
  }
  const [raw, server] = seen;
  return {
    streams: workload.streams,
    seeded: workload.seed !== undefined,
    tokensPerSecond: Object.fromEntries(seen.map(({ name, rates }) => [name, spreadOf(rates)])),
    // What else the machine does at a time is the same for both.
    ratio: spreadOf((server?.rates ?? []).map((rate, round) => rate / Number(raw?.rates[round]))),
  };
}

async function startTimes(options: GgufOptions, rounds: number): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const begun = performance.now();
    const server = await referenceServer(options);
    times.push(performance.now() - begun);
    await server.close();
  }
  return times;
}

function spread({ median, least, most }: Spread, digits = 0): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}-${most.toFixed(digits)})`;
}

function row(what: string, values: readonly string[], goal = ''): void {
  console.log(`${what.padEnd(46)}${values.map((value) => value.padStart(21)).join('')}${goal && `   goal ${goal}`}`);
}

function rowOfSpeeds({ streams, seeded, tokensPerSecond, ratio }: Speeds, goal: string): void {
  const rates = Object.values(tokensPerSecond).map((rate) => spread(rate));
  row(nameOf(streams, seeded), [...rates.slice(0, 2), spread(ratio, 2), ...rates.slice(2)], goal);
}

async function bench(choices: Choices): Promise<void> {
  const options: GgufOptions = {
    modelPath: choices.model,
    gpu: gpuOf(choices.gpu),
    contextSize: 4096,
  };
  const durationMs = choices.seconds * 1000;
  const started = await startTimes(options, choices.rounds);
  const subjects: Subject[] = [];
  try {
    const raw = await rawModel(options);
    subjects.push(raw);
    const reference = await referenceServer(options);
    subjects.push(reference);
    if (choices.llamaServer !== undefined) subjects.push(await llamaServer(choices.llamaServer, raw.threads, options));

    const device = raw.device === 'CPU' ? `${cpus()[0]?.model.trim()}, threads: ${raw.threads}` : raw.device;
    console.log(`${reference.server.model} on ${device}`);
    console.log(`tokens a second, median of ${choices.rounds} rounds by turns, with the least and the most\n`);
    const [first = '', second = '', ...more] = subjects.map(({ name }) => name);
    row('', [first, second, 'ratio', ...more]);
    const speeds: Speeds[] = [];
    for (const streams of streamCounts) {
      const speed = await measureSpeeds(subjects, { streams, durationMs, maxTokens }, choices.rounds);
      speeds.push(speed);
      rowOfSpeeds(speed, '0.90 or more');
    }
    const seeded = await measureSpeeds(subjects, { streams: 8, durationMs, maxTokens, seed: 29 }, choices.rounds);
    speeds.push(seeded);
    rowOfSpeeds(seeded, 'none: each is computed alone');
    console.log();

    const make = await promptMaker(reference.server);
    const prompts = Array.from({ length: 5 * choices.rounds }, () => make(100));
    const firstTimes = spreadOf(await timesToFirst(reference.server, prompts));
    row('first piece after a prompt of 100 tokens, ms', [spread(firstTimes, 1)], 'under 30');
    const gaps: number[] = [];
    for (let round = 0; round < choices.rounds; round += 1) {
      gaps.push(await largestGap(reference.server, make(choices.promptTokens)));
    }
    row(`largest gap beside a prompt of ${choices.promptTokens}, ms`, [spread(spreadOf(gaps), 1)], 'under 50');
    const followUp = await measureReuse(options, make, choices.rounds);
    for (const [name, { firstMs, readTokens, promptTokens }] of Object.entries(followUp)) {
      row(`first piece of a follow-up, ${name}, ms`, [spread(firstMs, 1), `${readTokens} of ${promptTokens} read`]);
    }
    row('start of the server until it is ready, ms', [spread(spreadOf(started))]);
    if (choices.out === undefined) return;
    const figures: Figures = {
      ...{ model: reference.server.model, device, speeds, followUp },
      ...{ firstPieceMs: firstTimes, largestGapMs: spreadOf(gaps), startMs: spreadOf(started) },
    };
    await writeFile(choices.out, `${JSON.stringify(figures, null, 2)}\n`);
  } finally {
    for (const subject of subjects) await subject.close();
  }
}

function figuresIn(path: string): Figures {
  try {
    const figures: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isFigures(figures)) return figures;
  } catch {}
  throw new InvalidArgumentError('It is no file that --out wrote.');
}

function isFigures(value: unknown): value is Figures {
  return typeof value === 'object' && value !== null && 'speeds' in value;
}

/** To measure takes minutes, so that a place that cannot be written to is told before. */
function writable(path: string): string {
  try {
    closeSync(openSync(path, 'a'));
    return path;
  } catch (error) {
    throw new InvalidArgumentError(`It cannot be written: ${error instanceof Error ? error.message : error}.`);
  }
}

function existing(path: string): string {
  if (existsSync(path)) return path;
  throw new InvalidArgumentError('There is no such file.');
}

const seconds = numberOf({ integer: false, most: 600, unit: 'seconds' });
const whole = (unit: string, most: number) => numberOf({ integer: true, most, unit });

await new Command('bench:server')
  .description(
    'tokens a second of node-llama-cpp by itself and through the reference server, and what streams wait for',
  )
  .option('--model <file>', 'GGUF model (default: the shipped one)', existing, shipped)
  .addOption(new Option('--gpu <name>', 'what to compute on').choices(gpuNames).default('false'))
  .option('--llama-server <file>', 'measure this llama-server of llama.cpp as well', existing)
  .option('--seconds <number>', 'of each measurement', seconds, 1)
  .option('--rounds <number>', 'of measurements', whole('rounds', 100), 3)
  .option('--prompt-tokens <number>', 'of the long prompt beside a stream', whole('tokens', 100_000), 3000)
  .option('--out <file>', 'write the figures there, as JSON', writable)
  .option(
    '--row <files...>',
    'measure nothing: print a Markdown table with a row for each file that --out wrote',
    (path, others: readonly Figures[] = []) => [...others, figuresIn(path)],
  )
  .action(async (choices: Choices) => {
    try {
      if (choices.row === undefined) await bench(choices);
      else process.stdout.write(tableOf(choices.row));
    } catch (error) {
      const known = [SubjectProblem, TargetProblem, GgufStartError].some((kind) => error instanceof kind);
      if (!known) throw error;
      console.error(`error: ${(error as Error).message}`);
      process.exitCode = 1;
    }
  })
  .parseAsync();
