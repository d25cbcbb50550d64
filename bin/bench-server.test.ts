import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const program = join(import.meta.dirname, '../dist/bench-server.js');

test.each([
  ['--row', import.meta.filename, 'It is no file that --out wrote.'],
  ['--row', '/nowhere.json', 'It is no file that --out wrote.'],
  ['--out', '/nowhere/figures.json', 'It cannot be written: ENOENT'],
  ['--model', '/nowhere.gguf', 'There is no such file.'],
])('%s %s is refused in a line before anything is measured', async (option, file, words) => {
  const refused = promisify(execFile)(process.execPath, [program, option, file]);
  await expect(refused).rejects.toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: .*\n$/) });
  await expect(refused).rejects.toMatchObject({ stderr: expect.stringContaining(words) });
});
