import { Command, InvalidArgumentError, Option } from 'commander';
import { gpuNames } from './backends/gguf-protocol.ts';
import type { ServeHost } from './serve.ts';
import { type ServeChoices, ServeError } from './serve-choices.ts';

/**
 * The `serve` command. What it takes to serve is loaded when it begins.
 * @param finish is told the exit code
 */
export function serveCommand(host: ServeHost, finish: (exitCode: number) => void): Command {
  return new Command('serve')
    .description('run the reference server until it is interrupted')
    .optionsGroup('The server:')
    .option('--host <address>', 'address to listen on', notEmpty, '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes a free one', wholeNumber(0, 65_535), 3000)
    .option(
      '--keys <file>',
      'accepted keys: [{ "key", "tier": "free", "pro" or "enterprise", "disabled", "limits", "tokensUsed", "webhook" }]',
    )
    .addHelpText(
      'after',
      '\nWithout --keys the key in API_KEY is accepted, as one of the Free tier; else one is made up and shown.',
    )
    .addOption(new Option('--state <file>', 'keep the tokens of the day there, over restarts').conflicts('limitsStore'))
    .option('--limits-store <url>', 'count the limits in Redis, redis://host:port, for several servers', redisUrl)
    .option('--window <seconds>', 'length of the window of the request limit (default: 60)', wholeNumber(1, 60))
    .addOption(
      new Option(
        '--webhook-url <url>',
        'deliver the events of keys without a webhook of their own there, signed with the secret in WEBHOOK_SECRET',
      ).env('WEBHOOK_URL'),
    )
    .option(
      '--drain-timeout <seconds>',
      'how long answers may go on once it is interrupted',
      wholeNumber(0, 86_400),
      30,
    )
    .option(
      '--send-timeout <seconds>',
      'how long a connection may take nothing more of an answer before it is cut',
      wholeNumber(1, 86_400),
      60,
    )
    .optionsGroup('For who runs it:')
    .option(
      '--metrics-listen <host:port>',
      'give Prometheus its metrics there, at /metrics, without a key',
      hostAndPort,
    )
    .addOption(
      new Option('--log-level <level>', 'log requests in lines of JSON, without keys and texts, to stderr').choices([
        'error',
        'warn',
        'info',
        'debug',
      ]),
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 when it ended as it was told to; 2 for usage; 3 when answers were cut as the drain timeout was over.',
    )
    .optionsGroup('The text:')
    .addOption(
      new Option(
        '--backend <name>',
        'a model, or words without one (default: gguf, where node-llama-cpp is installed)',
      ).choices(['gguf', 'scripted']),
    )
    .option('--model <file>', 'GGUF model to load (default: the shipped one)')
    .addOption(new Option('--gpu <name>', 'what gguf computes on (default: auto)').choices(gpuNames))
    .option(
      '--parallel <number>',
      'generations at the same time, of all keys together (default: 8 with gguf, else no bound)',
      wholeNumber(1, 1_000),
    )
    .option(
      '--queue-size <number>',
      'chats that may wait for one of them to end; more are refused with 503 (default: no bound)',
      wholeNumber(0, 1_000_000),
    )
    .option(
      '--context-size <tokens>',
      'context window; of a model at most its own (default: its own, or what fits the memory)',
      wholeNumber(1, 10_000_000),
    )
    .option('--ttft <ms>', 'scripted: time to the first token', atLeastZero)
    .option(
      '--tokens-per-second <number>',
      'scripted: pace of the tokens after it; 0 is as fast as can be',
      atLeastZero,
    )
    .option('--vision', 'scripted: take images')
    .option('--allow-image-urls', 'fetch images from public addresses (default: take them in data URLs alone)')
    .optionsGroup('Tools:')
    .option('--tools', 'run calls of execute_code in the server, where a request offers this function')
    .optionsGroup('For the proof of the suite:')
    .option('--allow-faults', 'fail when the header X-Stack29-Fault says 500, 503, 422 or cut-stream')
    .addOption(new Option('--fault <id>', 'misbehave in this way').conflicts('dialect'))
    .option('--dialect <id>', 'use this form of the API')
    .action(async (choices: ServeChoices, command: Command) => {
      const { serve } = await import('./serve.ts');
      try {
        finish(await serve(choices, host));
      } catch (error) {
        // The message says all, and the list of options would not help.
        if (error instanceof ServeError) command.showHelpAfterError(false).error(`error: ${error.message}`);
        throw error;
      }
    });
}

/** An empty address would be every address of the machine. */
function notEmpty(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It takes an address.');
}

function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(\[[\da-f:.]+\]|[^\s:[\]]+):(\d{1,5})$/i.exec(text) ?? [];
  if (host !== '' && Number(port) <= 65_535) return { host: host.replaceAll(/[[\]]/g, ''), port: Number(port) };
  throw new InvalidArgumentError('It takes an address and a port, such as 127.0.0.1:9464.');
}

function redisUrl(text: string): string {
  if (/^rediss?:$/.test(URL.canParse(text) ? new URL(text).protocol : '')) return text;
  throw new InvalidArgumentError('It takes a URL such as redis://127.0.0.1:6379.');
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
  };
}

function atLeastZero(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It takes a number of at least 0.');
}
