import { type Command, Option } from 'commander';
import { capabilities } from '../../specs/capabilities.ts';
import type { Tier } from '../../specs/evidence.ts';
import { type ProfileName, profiles } from '../../specs/profiles.ts';
import type { Capability } from '../../specs/requirement.ts';
import { reportFormats } from '../report/render.ts';
import type { FaultHeader } from '../transport/fault-header.ts';
import type { DeliveryOptions } from './deliver.ts';
import type { Host } from './host.ts';
import { type Address, addressOf, faultHeader, gather, numberOf, oneOf } from './values.ts';

/** The options of `run` as commander reads them: values checked one by one, not yet together. */
export interface RunChoices extends DeliveryOptions {
  readonly url?: string;
  readonly gguf?: string;
  readonly gpu?: string;
  readonly apiKey?: string;
  readonly disabledKey?: string;
  readonly exhaustedKey?: string;
  readonly tier?: Tier;
  readonly concurrent?: number;
  readonly faultHeader?: FaultHeader;
  readonly header: readonly string[];
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly model?: string;
  readonly runsTools?: string;
  readonly python?: string;
  readonly profile: ProfileName;
  readonly only: readonly string[];
  readonly without: readonly Capability[];
  readonly plan?: boolean;
  readonly list?: boolean;
  /** Seconds. */
  readonly timeout: number;
  readonly concurrency: number;
  readonly maxRequests?: number;
  readonly maxTokens?: number;
  readonly evidence?: string;
  readonly webhookListen?: Address;
}

export function runOptions(command: Command, { modelOptions }: Pick<Host, 'modelOptions'>): Command {
  const seconds = numberOf({ integer: false, most: 3600, unit: 'seconds' });
  const count = (unit: string, most: number) => numberOf({ integer: true, most, unit });
  command
    .optionsGroup('The target:')
    .option('--url <url>', 'base URL with its /v1; without it the reference server is started and judged');
  for (const option of modelOptions()) command.addOption(option);
  return deliveryOptions(
    command
      .addOption(new Option('--api-key <key>', 'a valid key').env('STACK29_API_KEY'))
      .addOption(new Option('--disabled-key <key>', 'the key of a disabled account').env('STACK29_DISABLED_KEY'))
      .addOption(
        new Option('--exhausted-key <key>', 'a key whose tokens of the day are used up').env('STACK29_EXHAUSTED_KEY'),
      )
      .option('--tier <name>', 'the tier of the key: free, pro, enterprise', oneOf<Tier>(['free', 'pro', 'enterprise']))
      .option('--concurrent <number>', 'chats that the key may run at a time, else by tier', count('chats', 1000))
      .option(
        "--fault-header <'name'>",
        "what makes it fail: a name, or 'name: 500=word, cut-stream=word'",
        faultHeader,
      )
      .option('--model <id>', 'the model to chat with (default: the first one listed)')
      .option('--runs-tools <language>', 'the target runs calls of execute_code itself, in this language')
      .addOption(repeatable("--header <'name: value'>", 'a header for every request; repeatable'))
      .option('--python <file>', 'interpreter with openai and langchain-openai, for profile clients')
      .option('--webhook-listen <host:port>', 'take in what the target delivers to webhooks there', addressOf)
      .option('--ca <file>', 'certificates to trust, in PEM')
      .option('--insecure', 'accept any certificate')
      .optionsGroup('What is judged:')
      .option(
        '--profile <name>',
        Object.keys(profiles).join(', '),
        oneOf(Object.keys(profiles) as ProfileName[]),
        'standard',
      )
      .addOption(repeatable('--only <pattern>', "a requirement, or several with *: 'chat.*'; repeatable"))
      .addOption(
        new Option('--without <capability>', `what the target lacks: ${capabilities.join(', ')}; repeatable`)
          .argParser((text: string, before: readonly Capability[] = []) => [...before, oneOf(capabilities)(text)])
          .default([], 'none'),
      )
      .option('--list', 'print the requirements and stop')
      .option('--plan', 'print what would be sent at most, send nothing')
      .optionsGroup('Bounds:')
      .option('--timeout <seconds>', 'for each phase of a request', seconds, 60)
      .option('--concurrency <number>', 'requests at a time', count('requests', 100), 4)
      .option('--max-requests <number>', 'stop before sending more', count('requests', 1_000_000))
      .option('--max-tokens <number>', 'stop before spending more', count('tokens', 1_000_000_000))
      .optionsGroup('The report:')
      .option('--evidence <file>', 'record what is sent and received, for judge'),
  );
}

export function deliveryOptions(command: Command): Command {
  return command
    .optionsGroup('The report:')
    .option('--format <name>', reportFormats.join(', '), oneOf(reportFormats), 'terminal')
    .option('--out <file>', 'write the report there')
    .option('--quiet', 'nothing but the result; of the terminal form only the outcome')
    .option('--no-color', 'no colour')
    .optionsGroup('');
}

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser(gather).default([], 'none');
}
