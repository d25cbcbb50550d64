import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { tellFault } from './command/fault.ts';
import { runCommand } from './command.ts';

test('an error that nobody foresaw is left to the caller', async () => {
  const host = {
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    env: {},
    signal: new AbortController().signal,
    modelOptions: () => [],
    startReference: () => Promise.reject(new RangeError('nobody foresaw this')),
  };
  await expect(runCommand(['--quiet'], host, () => [])).rejects.toThrow(RangeError);
});

test('a fault is shown with its trace and a request to report it, and nothing in it steers a terminal', async () => {
  const stderr = new PassThrough();
  tellFault(new RangeError('bad \u001b[2J'), { stderr });
  stderr.end();
  const shown = await text(stderr);
  expect(shown).toMatch(/^error: a fault of stack29-conformance itself; please report it/);
  expect(shown).toMatch(/RangeError: bad \\u001b\[2J\n {4}at .*command\.test\.ts/);
});
