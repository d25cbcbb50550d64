import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';

/**
 * The globals that a script may use: of the language what k6's engine has (no Atomics, Intl, SharedArrayBuffer, WeakRef,
 * WebAssembly), and what k6 adds. TextEncoder and TextDecoder are there since 2.2 only. Timers are, and are imported
 * from k6/timers all the same, for their types.
 */
const allowed = new Set(
  (
    'globalThis undefined NaN Infinity isNaN isFinite parseInt parseFloat decodeURI decodeURIComponent encodeURI ' +
    'encodeURIComponent escape unescape Object Function Array String Number BigInt Boolean Symbol RegExp Date Math JSON ' +
    'Proxy Reflect Promise Map Set WeakMap WeakSet Error AggregateError EvalError RangeError ReferenceError SyntaxError ' +
    'TypeError URIError ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array ' +
    'Uint32Array Float32Array Float64Array BigInt64Array BigUint64Array __ENV __VU __ITER console open'
  ).split(' '),
);

/** Globals of browsers and of CommonJS, which Node's own list lacks. */
const elsewhere =
  'window self document navigator location localStorage sessionStorage XMLHttpRequest EventSource WebSocket Worker ' +
  'requestAnimationFrame require module exports global __dirname __filename process Buffer';

const denied = [...Object.getOwnPropertyNames(globalThis), ...elsewhere.split(' ')].filter(
  (name) => !allowed.has(name),
);

/** What the engine of k6 cannot parse, or could only load from elsewhere. */
const syntax = {
  'a dynamic import': /\bimport\s*\(/,
  'for await': /\bfor\s+await\b/,
  'an async generator': /\basync\s+function\s*\*|\basync\s*\*/,
  'import.meta': /\bimport\.meta\b/,
};

const settings = {
  linter: {
    rules: {
      preset: 'none',
      style: {
        noRestrictedGlobals: {
          level: 'error',
          options: { deniedGlobals: Object.fromEntries(denied.map((name) => [name, 'k6 has none'])) },
        },
        noRestrictedImports: {
          level: 'error',
          options: { patterns: [{ group: ['*', '!k6', '!k6/*'], message: 'k6 has no such module' }] },
        },
      },
    },
  },
};

/** What of scripts the runtime of k6 lacks, each as `name: what`. @param scripts texts of JavaScript by name */
export async function lackedByK6(scripts: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'k6-lint-')));
  try {
    await writeFile(join(folder, 'biome.json'), JSON.stringify(settings));
    for (const [name, text] of Object.entries(scripts)) await writeFile(join(folder, `${name}.js`), text);
    const lint = promisify(execFile)(
      resolve('node_modules/.bin/biome'),
      ['lint', '--reporter=github', '--max-diagnostics=none', '--files-max-size=4000000'],
      { cwd: folder },
    );
    const { stdout } = await lint.catch((error: { stdout: string }) => error);
    const found = [...stdout.matchAll(/^::error title=[^,]+,file=(.+?),line=\d+.*?::(.*)$/gm)];
    const linted = found.map(([, file = '', what]) => `${basename(file, '.js')}: ${what}`);
    const parsed = Object.entries(scripts).flatMap(([name, text]) =>
      Object.entries(syntax).flatMap(([what, form]) => (form.test(text) ? [`${name}: ${what}`] : [])),
    );
    return [...linted, ...parsed];
  } finally {
    await rm(folder, { recursive: true });
  }
}
