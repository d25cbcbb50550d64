import { type Command, InvalidArgumentError, Option } from 'commander';
import { closest } from 'fastest-levenshtein';
import { sloNames, statisticNames } from '../specs/metrics.ts';
import type { TierProfile } from '../specs/wire.ts';
import type { LoadHost } from './host.ts';
import { k6Image } from './k6-run/image.ts';
import { type LoadFormat, loadFormats } from './report/render.ts';

export interface Threshold {
  readonly name: string;
  readonly bound: { readonly atMost: number } | { readonly atLeast: number };
}

type LimitName = keyof TierProfile['limits'];

interface StatedLimit {
  readonly name: LimitName;
  readonly value: number;
}

/** The options of `load` as commander reads them: values checked one by one, not yet together. */
export interface LoadChoices {
  readonly url?: string;
  readonly apiKey?: string;
  /** Another key of the tier. */
  readonly secondKey?: string;
  /** Whether the keys have spent no tokens today. */
  readonly freshKey?: boolean;
  readonly header: readonly string[];
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly model?: string;
  readonly backend?: 'gguf' | 'scripted';
  readonly gguf?: string;
  readonly gpu?: string;
  /** Milliseconds. */
  readonly ttft?: number;
  readonly tokensPerSecond?: number;
  /** Seconds. */
  readonly duration?: number;
  /** Seconds. */
  readonly warmUp?: number;
  readonly requests?: number;
  readonly rate?: number;
  readonly concurrency?: number;
  readonly tokens?: number;
  readonly promptTokens?: number;
  readonly transport?: 'json' | 'sse' | 'websocket';
  readonly slo: readonly Threshold[];
  readonly threshold: readonly Threshold[];
  /** Limits of a tier, other than its profile says. */
  readonly limit: readonly StatedLimit[];
  /** Seconds. */
  readonly timeout?: number;
  readonly seed?: number;
  readonly workers: number;
  readonly engine: 'embedded' | 'k6';
  /** Path of k6. */
  readonly k6?: string;
  readonly k6Image?: string;
  readonly list?: boolean;
  readonly format: LoadFormat;
  readonly out?: string;
  readonly quiet?: boolean;
  readonly color: boolean;
}

export function loadOptions(command: Command, { modelOptions }: Pick<LoadHost, 'modelOptions'>): Command {
  const count = (unit: string, most: number) => numberOf({ whole: true, most, unit });
  const amount = (unit: string, most: number) => numberOf({ whole: false, most, unit });
  command
    .optionsGroup('The target:')
    .option('--url <url>', 'base URL with its /v1; without it the reference server is started and measured')
    .addOption(new Option('--api-key <key>', 'a valid key').env('STACK29_API_KEY'))
    .addOption(
      new Option('--second-key <key>', 'of tiers that check tokens: another key, which shows the limit from below').env(
        'STACK29_SECOND_KEY',
      ),
    )
    .option('--fresh-key', 'of tiers that check tokens: the keys have spent none today')
    .option('--model <id>', 'the model to chat with (default: the first one listed)')
    .addOption(repeatable("--header <'name: value'>", 'a header for every request; repeatable', String))
    .option('--ca <file>', 'certificates to trust, in PEM')
    .option('--insecure', 'accept any certificate');
  for (const option of modelOptions()) command.addOption(option);
  return command
    .addOption(new Option('--backend <name>', 'of the reference server').choices(['gguf', 'scripted']))
    .option(
      '--ttft <ms>',
      'of the reference server: time to the first scripted token',
      amount('milliseconds', 3_600_000),
    )
    .option('--tokens-per-second <number>', 'of the reference server: pace of scripted tokens', amount('tokens', 1e9))
    .optionsGroup('What is sent, other than the profile says:')
    .option(
      '--duration <time>',
      'how long is measured: 60, 90s, 5m; of a ramp all stages together, of a search each step',
      seconds,
    )
    .option('--warm-up <time>', 'sent before, not measured', seconds)
    .option('--requests <number>', 'measured requests at most', count('requests', 1e9))
    .addOption(
      new Option('--rate <number>', 'requests a second, as independent users send; of a search the highest')
        .argParser(amount('requests', 1e6))
        .conflicts('concurrency'),
    )
    .option('--concurrency <number>', 'users, each of whom sends again after an answer', count('users', 100_000))
    .option('--tokens <number>', 'output tokens to ask for', count('tokens', 10_000_000))
    .option('--prompt-tokens <number>', 'length of the prompts', count('tokens', 10_000_000))
    .addOption(new Option('--transport <name>', 'how to ask').choices(['json', 'sse', 'websocket']))
    .addOption(
      repeatable('--limit <name=number>', `of tiers: ${limitNames.join(', ')}; of a server of its own too`, parseLimit),
    )
    .option('--timeout <seconds>', 'when a request counts as failed', amount('seconds', 86_400))
    .option('--seed <number>', 'of all that is random (default: a random one, reported)', count('', 2 ** 31))
    .option('--workers <number>', 'processes of the client', count('processes', 256), 1)
    .addOption(
      new Option('--engine <name>', 'what measures: this program, or k6')
        .choices(['embedded', 'k6'])
        .default('embedded'),
    )
    .option('--k6 <file>', 'the k6 to run (default: the one on PATH, else its image in a container)')
    .addOption(
      new Option('--k6-image <name>', `the image of k6 to run in a container (default: ${k6Image})`).conflicts('k6'),
    )
    .optionsGroup('Bounds, which end in exit code 99 where they are not kept:')
    .addOption(repeatable('--slo <ttft_p95=ms>', 'the most that a latency may be; repeatable', parseSlo))
    .addOption(
      repeatable("--threshold <'name<=number'>", 'a bound on any statistic, <= or >=; repeatable', parseThreshold),
    )
    .optionsGroup('The report:')
    .option('--list', 'print the profiles, with how long each takes, and stop')
    .addOption(new Option('--format <name>', 'of the report').choices(loadFormats).default('terminal'))
    .option('--out <file>', 'write the report there')
    .option('--quiet', 'nothing but the result')
    .option('--no-color', 'no colour')
    .optionsGroup('');
}

interface Accepted {
  readonly whole: boolean;
  readonly most: number;
  readonly unit: string;
}

/** Reads a number above 0. @throws InvalidArgumentError that says what is accepted */
export function numberOf({ whole, most, unit }: Accepted): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value > 0 && value <= most && (Number.isInteger(value) || !whole)) return value;
    const kind = whole ? 'a whole number' : 'a number';
    throw new InvalidArgumentError(`It takes ${kind}${unit && ` of ${unit}`}, above 0 and at most ${most}.`);
  };
}

const unitSeconds: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600 };

function seconds(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text) ?? [];
  const value = Number(number) * (unitSeconds[unit] ?? Number.NaN);
  if (number !== '' && value <= 604_800) return value;
  throw new InvalidArgumentError('It takes a time of at most a week: 60, 90s, 5m or 2h.');
}

function parseSlo(text: string): Threshold {
  const [, name = '', number = ''] = /^([^=<>]+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (number === '') throw new InvalidArgumentError('It takes a statistic and milliseconds: ttft_p95=500.');
  return { name: known(name, sloNames), bound: { atMost: Number(number) } };
}

function parseThreshold(text: string): Threshold {
  const [, name = '', sign, number = ''] = /^([^=<>]+)(<=|>=)(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (number === '') throw new InvalidArgumentError("It takes a statistic and a bound: 'error_fraction<=0.01'.");
  const bound = sign === '<=' ? { atMost: Number(number) } : { atLeast: Number(number) };
  return { name: known(name, statisticNames), bound };
}

const limitNames: readonly LimitName[] = ['requestsPerMinute', 'concurrent', 'tokensPerDay', 'windowSeconds'];

function parseLimit(text: string): StatedLimit {
  const [, name = '', number = ''] = /^([^=]+)=(\d+)$/.exec(text) ?? [];
  const value = Number(number);
  if (!(value > 0))
    throw new InvalidArgumentError('It takes a limit and a whole number above 0: requestsPerMinute=100.');
  return { name: known(name, limitNames) as LimitName, value };
}

function known(name: string, names: readonly string[]): string {
  if (names.includes(name)) return name;
  throw new InvalidArgumentError(`There is no ${name}; the nearest is ${closest(name, [...names])}.`);
}

function repeatable<Value>(flags: string, description: string, parse: (text: string) => Value): Option {
  const gather = (text: string, before: readonly Value[] = []): readonly Value[] => [...before, parse(text)];
  return new Option(flags, description).argParser(gather).default([], 'none');
}
