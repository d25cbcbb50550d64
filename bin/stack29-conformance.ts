#!/usr/bin/env node
import { loadCommand } from '../load/command.ts';
import type { LoadHost } from '../load/host.ts';
import { serveCommand } from '../reference-server/command.ts';
import { baseUrlOf } from '../suites/base-url.ts';
import { checkOut, writeWhole } from '../suites/command/deliver.ts';
import { exitCodes } from '../suites/command/exit-codes.ts';
import { tellFault } from '../suites/command/fault.ts';
import type { Host } from '../suites/command/host.ts';
import { runCommand } from '../suites/command.ts';
import { tool } from '../suites/tool.ts';
import { modelOptions } from './model-options.ts';

const { argv, env, stdout, stderr } = process;

// The reader of a pipe may leave (`| head`); what is left to do is done all the same. Output that is lost for any other
// reason must not end in a code that says something of the target.
for (const [name, stream] of Object.entries({ stdout, stderr })) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    if (stream !== stderr) stderr.write(`error: ${name} cannot be written: ${error.message}\n`);
    process.exit(exitCodes['suite-error']);
  });
}

const interruption = new AbortController();
const [script = '', command] = argv.slice(1);
// A second signal does what signals do; a server looks after its own.
if (command !== 'serve') {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
}

const common = { stdout, stderr, env, signal: interruption.signal, modelOptions };
const reference = () => import('./reference.ts');
const host: Host = {
  ...common,
  startReference: async (wish) => (await reference()).startReference(script, { tier: 'free', ...wish }),
};
const loadHost: LoadHost = {
  ...common,
  argv: argv.slice(2),
  tool,
  startReference: async (wish) => (await reference()).startReference(script, wish),
  baseUrlOf,
  checkOut,
  writeWhole,
};

try {
  process.exitCode = await runCommand(argv.slice(2), host, (finish) => [
    serveCommand({ stdout, stderr, exit: (code) => process.exit(code) }, finish),
    loadCommand(loadHost, finish),
  ]);
} catch (error) {
  tellFault(error, { stderr });
  process.exitCode = exitCodes['suite-error'];
}
// An interrupted run leaves requests under way that nobody waits for.
if (interruption.signal.aborted) process.exit();
