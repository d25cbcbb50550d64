import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const forbidden = [
  ['specs/a.ts', '../suites/run.ts'],
  ['specs/a.ts', '../load/engine/arrival.ts'],
  ['specs/a.ts', '../reference-server/faults.ts'],
  ['specs/a.ts', '../bin/a.ts'],
  ['specs/requirements/a.ts', '../../suites/run.ts'],
  ['specs/a.ts', 'node:fs'],
  ['specs/a.ts', 'node:net'],
  ['suites/a.ts', '../load/engine/arrival.ts'],
  ['suites/a.ts', '../reference-server/server.ts'],
  ['suites/a.ts', '../bin/a.ts'],
  ['suites/probes/a.ts', '../../reference-server/faults.ts'],
  ['load/a.ts', '../suites/run.ts'],
  ['load/a.ts', '../reference-server/server.ts'],
  ['load/engine/a.ts', '../../bin/a.ts'],
  ['reference-server/a.ts', '../suites/run.ts'],
  ['reference-server/a.ts', '../load/engine/arrival.ts'],
  ['reference-server/routes/a.ts', '../../suites/expect.ts'],
] as const;

const allowed = [
  ['specs/requirements/a.ts', '../requirement.ts'],
  ['specs/a.ts', 'node:crypto'],
  ['suites/probes/a.ts', '../expect.ts'],
  ['suites/a.ts', '../specs/validate.ts'],
  ['suites/self-test.ts', '../reference-server/server.ts'],
  ['load/a.ts', '../specs/metrics.ts'],
  ['reference-server/routes/a.ts', '../../specs/wire.ts'],
  ['reference-server/a.test.ts', '../suites/run.ts'],
  ['bin/a.ts', '../suites/command.ts'],
  ['bin/a.ts', '../reference-server/command.ts'],
] as const;

const forms = {
  import: (module: string) => `import '${module}';`,
  'import of a type': (module: string) => `import type { A } from '${module}';`,
  'export from': (module: string) => `export * from '${module}';`,
  'dynamic import': (module: string) => `void import('${module}');`,
};

test.each(Object.entries(forms))('the linter keeps the import table: %s', async (_, written) => {
  const lines = [...forbidden, ...allowed].map(([file, module]): Line => [file, written(module)]);
  expect(await refused('noRestrictedImports', lines)).toEqual(lines.slice(0, forbidden.length).sort());
});

test.each([
  ['prints', 'noConsole', "console.log('done');"],
  ['exits', 'noProcessExit', 'process.exit(1);'],
])('only bin %s', async (_, rule, line) => {
  const places = ['bin/a.ts', 'fixtures/a.ts', 'reference-server/a.ts', 'specs/a.ts', 'suites/a.ts'];
  const lines = places.map((file): Line => [file, line]);
  expect(await refused(rule, lines)).toEqual(lines.slice(1));
});

type Line = readonly [file: string, text: string];

/** Writes every line to its file in an empty folder, and gives those that a rule refuses under our settings, sorted. */
async function refused(rule: string, lines: readonly Line[]): Promise<(Line | undefined)[]> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'import-table-')));
  try {
    const settings: object = JSON.parse(await readFile('biome.json', 'utf8'));
    await writeFile(join(folder, 'biome.json'), JSON.stringify({ ...settings, vcs: { enabled: false } }));
    for (const [file, text] of lines) {
      await mkdir(join(folder, dirname(file)), { recursive: true });
      await appendFile(join(folder, file), `${text}\n`);
    }
    const findings = (await biomeLint(folder)).matchAll(/^::\w+ title=lint\/\w+\/(\w+),file=(.+?),line=(\d+),/gm);
    return [...findings]
      .filter(([, name]) => name === rule)
      .map(([, , path, line]) => lines.filter(([file]) => join(folder, file) === path)[Number(line) - 1])
      .sort();
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function biomeLint(folder: string): Promise<string> {
  const biome = resolve('node_modules/.bin/biome');
  const lint = promisify(execFile)(biome, ['lint', '--reporter=github', '--max-diagnostics=none'], { cwd: folder });
  const { stdout } = await lint.catch((error: { stdout: string }) => error);
  return stdout;
}
