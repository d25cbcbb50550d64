import { Command, Option } from 'commander';
import type { CompareChoices } from './compare/run.ts';
import { loadExitCodes } from './exit-codes.ts';
import type { LoadHost } from './host.ts';
import { scriptNames } from './k6-run/scripts.ts';
import type { ClusterChoices } from './kubernetes/print.ts';
import { metricHelp } from './metric-help.ts';
import { type LoadChoices, loadOptions, numberOf } from './options.ts';
import { LoadProblem } from './problem.ts';

/**
 * The `load` command. What it takes to measure is loaded when it begins.
 * @param finish is told the exit code
 */
export function loadCommand(host: LoadHost, finish: (exitCode: number) => void): Command {
  const told = async (work: () => Promise<number>) => {
    try {
      finish(await work());
    } catch (error) {
      if (!(error instanceof LoadProblem)) throw error;
      host.stderr.write(`error: ${error.message}\n`);
      finish(loadExitCodes[error.kind]);
    }
  };
  const load = loadOptions(new Command('load'), host)
    .description('measure a target: latency per token, tokens per second, capacity, and whether tiers hold')
    .argument('[profile]', 'one of --list, or a file of your own: ./profile.json', 'smoke')
    .addHelpText('after', ({ command }) => metricHelp(command, host.stdout.columns))
    .action((profile: string, choices: LoadChoices) =>
      told(async () => {
        const { runLoad } = await import('./run.ts');
        return runLoad(profile, choices, host);
      }),
    );
  load
    .command('compare')
    .description('tell whether the second of two runs is worse, with confidence intervals; exits with 99 if so')
    .argument('<before>', 'what load --format json wrote')
    .argument('<after>', 'the same of a later run')
    .option(
      '--margin <percent>',
      'smaller changes are none',
      numberOf({ whole: false, most: 100, unit: 'per cent' }),
      5,
    )
    .addOption(new Option('--format <name>', 'of the comparison').choices(['terminal', 'json']).default('terminal'))
    // The load command has a --format of its own, which takes what stands before this command's name.
    .action((before: string, after: string, _: object, command: Command) =>
      told(async () => {
        const { runCompare } = await import('./compare/run.ts');
        return runCompare(before, after, command.optsWithGlobals<CompareChoices>(), host);
      }),
    );
  load
    .command('kubernetes')
    .description('print a ConfigMap and a TestRun of k6-operator that run a profile on a cluster')
    .argument(
      '<profile>',
      'as for load, whose options change it here too; --url is where the cluster reaches the target',
    )
    .option(
      '--parallelism <number>',
      'runners that share the load',
      numberOf({ whole: true, most: 10_000, unit: 'runners' }),
      1,
    )
    .option(
      '--secret <name>',
      'the Secret that holds the key as STACK29_API_KEY, and STACK29_SECOND_KEY where tokens are checked',
      'stack29-api-key',
    )
    .option('--namespace <name>', 'of the cluster')
    .addOption(
      new Option('--script <name>', 'where the profile takes several (default: the first)').choices(scriptNames),
    )
    .action((profile: string, _: object, command: Command) =>
      told(async () => {
        const { printManifest } = await import('./kubernetes/print.ts');
        return printManifest(profile, command.optsWithGlobals<ClusterChoices>(), host);
      }),
    );
  return load;
}
