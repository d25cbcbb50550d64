import { randomInt } from 'node:crypto';
import { Command } from 'commander';
import { runCampaign } from '../reference-server/fuzz/campaign.ts';
import { numberOf } from '../suites/command/values.ts';

const count = numberOf({ integer: true, most: 10_000_000, unit: 'stimuli' });
const seed = numberOf({ integer: true, most: 2 ** 31 - 1, unit: 'seeds' });

await new Command('fuzz')
  .description(
    'sends malformed and valid requests and messages to a reference server of its own: no 5xx, all errors in their form',
  )
  .option('--count <number>', 'requests and dialogs on sockets', count, 10_000)
  .option('--seed <number>', 'of the generator (default: a random one)', seed)
  .option('--path <path>', 'of a failure that was found before')
  .action(async (choices: { readonly count: number; readonly seed?: number; readonly path?: string }) => {
    const settings = { ...choices, seed: choices.seed ?? randomInt(1, 2 ** 31 - 1) };
    const begun = performance.now();
    const { statuses, failure } = await runCampaign(settings);
    const total = Object.values(statuses).reduce((sum, number) => sum + number, 0);
    console.log(`seed ${settings.seed}: ${total} answers in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    for (const [status, number] of Object.entries(statuses).sort()) console.log(`${status.padEnd(7)}${number}`);
    if (failure === undefined) return;
    console.log(`FAILED: ${failure.reason}\n${failure.stimulus}`);
    console.log(`again: npm run fuzz -- --seed ${settings.seed} --path ${failure.path}`);
    process.exitCode = 1;
  })
  .parseAsync();
