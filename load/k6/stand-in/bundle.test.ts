import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scriptNames } from '../../k6-run/scripts.ts';
import { lackedByK6 } from './runtime-lint.ts';

const folder = 'dist/k6';

const builtScripts = (): Record<string, string> => {
  if (!existsSync(folder)) throw new Error('these tests read built scripts: npm run build');
  const names = readdirSync(folder).map((file) => file.replace(/\.js$/, ''));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, `${name}.js`), 'utf8')]));
};

test('each script is one file that loads nothing but modules of k6', () => {
  const scripts = builtScripts();
  expect(Object.keys(scripts).toSorted()).toEqual(scriptNames.toSorted());
  for (const [name, text] of Object.entries(scripts)) {
    const modules = [...text.matchAll(/^import .* from "(.+)";$/gm)].map(([, module]) => module);
    expect(modules.length, name).toBeGreaterThan(2);
    for (const module of modules)
      expect(module, name).toMatch(/^k6(\/(data|execution|http|metrics|timers|websockets|ws))?$/);
    // k6-operator takes a script from a ConfigMap, which holds 1 MiB.
    expect(text.length, name).toBeLessThan(2 ** 18);
  }
});

test('no script uses what the runtime of k6 lacks', async () => {
  expect(await lackedByK6(builtScripts())).toEqual([]);
});

test('the one global that is not of every k6 is taken where it may be missing', () => {
  for (const [name, text] of Object.entries(builtScripts())) {
    const uses = text.split('\n').filter((line) => line.includes('globalThis'));
    expect(uses, name).toEqual(name.startsWith('tier-') ? [] : ['\tconst { require: loadModule } = globalThis;']);
  }
});

test('a use of any other global is found', async () => {
  const names =
    'fetch URL URLSearchParams AbortController TextDecoder TextEncoder performance process Buffer setTimeout Intl ' +
    'setImmediate queueMicrotask structuredClone Atomics WeakRef SharedArrayBuffer WebAssembly EventSource WebSocket ' +
    'require __dirname crypto atob window';
  const uses = Object.fromEntries(names.split(' ').map((name) => [`uses-${name}`, `export const used = ${name};`]));
  const shadows = Object.fromEntries(
    names.split(' ').map((name) => [`names-${name}`, `export const f = (${name}) => ${name};`]),
  );
  const found = await lackedByK6({ ...uses, ...shadows });
  expect(found.map((line) => line.split(':')[0]).toSorted()).toEqual(Object.keys(uses).toSorted());
});

test.each([
  ['a module of Node', "import 'node:fs';"],
  ['another module', "import { request } from 'undici'; request();"],
  ['a dynamic import', "export const load = () => import('k6/http');"],
  ['for await', 'export async function f(all) { for await (const one of all) one(); }'],
  ['an async generator', 'export async function* f() { yield 1; }'],
])('%s is found', async (_, text) => {
  expect(await lackedByK6({ bad: text, good: "import http from 'k6/http'; http.get('');" })).toEqual([
    expect.stringMatching(/^bad: /),
  ]);
});
