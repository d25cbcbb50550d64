import { Command, CommanderError, Help } from 'commander';
import { closest } from 'fastest-levenshtein';
import type { DeliveryOptions } from './command/deliver.ts';
import { exitCodes } from './command/exit-codes.ts';
import type { Host } from './command/host.ts';
import { deliveryOptions, type RunChoices, runOptions } from './command/options.ts';
import { numberOf } from './command/values.ts';
import { printable } from './report/printable.ts';
import { tool } from './tool.ts';
import { UsageError } from './usage-error.ts';

/**
 * Runs the command that `argv` (without node and script) names, on the streams of the host.
 * @param others makes the commands of other rooms; each may set the exit code
 * @returns the exit code, see {@link exitCodes}
 * @throws whatever is a fault of the suite itself
 */
export async function runCommand(
  argv: readonly string[],
  host: Host,
  others: (finish: (exitCode: number) => void) => readonly Command[],
): Promise<number> {
  let exitCode: number = exitCodes.conformant;
  const program = conformanceCommand(host, others, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    const code = await codeOf(error);
    if (code === undefined) throw error;
    host.stderr.write(`error: ${printable((error as Error).message)}\n`);
    return code;
  }
}

const workers = numberOf({ integer: true, most: 256, unit: 'processes' });

/** Everything that only some commands need is loaded when one of them begins, so that help comes at once. */
function conformanceCommand(
  host: Host,
  others: (finish: (exitCode: number) => void) => readonly Command[],
  finish: (exitCode: number) => void,
): Command {
  const [name, version = ''] = tool.split(' ');
  const program = new Command(name)
    .description('Judges whether a server conforms to the Stack 2.9 chat API.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
    })
    .showHelpAfterError('(--help shows what there is)');

  const run = runOptions(program.command('run', { isDefault: true }).description('judge a target (the default)'), host)
    .allowExcessArguments()
    .action(async (choices: RunChoices, { args }: Command) => {
      if (args[0] !== undefined) throw unknownCommand(args[0], program);
      const { runTarget } = await import('./command/run.ts');
      finish(await runTarget(choices, host));
    });
  deliveryOptions(program.command('judge'))
    .description('judge a recorded run again, without the target')
    .argument('<evidence>', 'what run --evidence recorded')
    .action(async (path: string, options: DeliveryOptions) => {
      const { judgeEvidence } = await import('./command/judge.ts');
      finish(await judgeEvidence(path, options, host));
    });
  program
    .command('explain')
    .description('tell what is required, where the document says it, and how it is judged')
    .argument('[id]', "a requirement, or several with *: 'chat.*'; without it the document's headings")
    .action(async (pattern: string | undefined) => {
      const { explain } = await import('./command/explain.ts');
      host.stdout.write(explain(pattern));
    });
  program
    .command('self-test')
    .description('prove the suite: each fault of the reference server breaks exactly its requirements')
    .argument('[name]', 'one fault or dialect; without it all of them')
    .option('--python <file>', 'interpreter with openai and langchain-openai, for the faults that clients see')
    .option('--workers <number>', 'processes that share the work; as many as there are cores unless given', workers)
    .action(async (name: string | undefined, choices: { readonly python?: string; readonly workers?: number }) => {
      const { proveSuite } = await import('./command/self-test.ts');
      finish(await proveSuite(name, choices, host));
    });
  for (const other of others(finish)) {
    program.addCommand(other.copyInheritedSettings(program));
    for (const part of other.commands) part.copyInheritedSettings(program);
  }

  // Its options are those of the default command, and no guess at what was meant of another. Set here, since commands that
  // were made before do not take it over: options of `load` stand behind the names of its own commands too.
  program.enablePositionalOptions();
  // The options of the default command are those that most people look for.
  program.configureHelp({
    visibleOptions: (command) => [...(command === program ? run.options : []), ...new Help().visibleOptions(command)],
  });
  return program;
}

function unknownCommand(name: string, program: Command): UsageError {
  const names = program.commands.map((command) => command.name());
  if (names.includes(name)) return new UsageError(`${name} is a command: it stands before its options`);
  return new UsageError(`there is no command ${name}; the nearest is ${closest(name, names)}`);
}

/** The exit code for an error that is not the suite's own fault. */
async function codeOf(error: unknown): Promise<number | undefined> {
  if (error instanceof UsageError) return exitCodes.usage;
  const [{ TargetProblem }, { UnmatchedPattern }, { BadEvidence, BadSettings, NotSent }] = await Promise.all([
    import('./baseline.ts'),
    import('./select.ts'),
    import('./transport/wire.ts'),
  ]);
  if (error instanceof TargetProblem) return error.kind === 'unreachable' ? exitCodes.unreachable : exitCodes.usage;
  if (error instanceof NotSent) return exitCodes.incomplete;
  const isUsage = error instanceof UnmatchedPattern || error instanceof BadEvidence || error instanceof BadSettings;
  return isUsage ? exitCodes.usage : undefined;
}
