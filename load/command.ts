import { Command } from 'commander';
import type { LoadHost } from './host.ts';
import { type LoadChoices, loadOptions } from './options.ts';
import { LoadProblem } from './problem.ts';

/**
 * The `load` command. What it takes to measure is loaded when it begins.
 * @param finish is told the exit code
 */
export function loadCommand(host: LoadHost, finish: (exitCode: number) => void): Command {
  const told = async (work: () => Promise<number>) => {
    const { loadExitCodes } = await import('./run.ts');
    try {
      finish(await work());
    } catch (error) {
      if (!(error instanceof LoadProblem)) throw error;
      host.stderr.write(`error: ${error.message}\n`);
      finish(loadExitCodes[error.kind]);
    }
  };
  return loadOptions(new Command('load'))
    .description('measure a target: latency per token, tokens per second, capacity, and whether tiers hold')
    .argument('[profile]', 'one of --list, or a file of your own: ./profile.json', 'smoke')
    .action((profile: string, choices: LoadChoices) =>
      told(async () => {
        const { runLoad } = await import('./run.ts');
        return runLoad(profile, choices, host);
      }),
    );
}
