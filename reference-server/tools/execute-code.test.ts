import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { executeCode } from './execute-code.ts';
import { programLimits } from './program-limits.ts';

beforeAll(() => {
  if (!existsSync(join(import.meta.dirname, '../../dist/javascript-program.js')))
    throw new Error('these tests run the built programs: npm run build');
});

const never = new AbortController().signal;

function run(code: unknown, language: unknown = 'javascript', limits = programLimits, signal = never) {
  return executeCode(limits).run(
    { id: 'call_1', name: 'execute_code', arguments: JSON.stringify({ code, language }) },
    signal,
  );
}

test('a program has what it prints and its last value as its output', async () => {
  const result = await run('console.log("Hello", [1, { a: null }]); 6 * 7');
  expect(result).toEqual({
    tool_call_id: 'call_1',
    output: 'Hello [1,{"a":null}]\n42\n',
    error: null,
    execution_time_ms: expect.any(Number),
  });
});

test('a program without output has an empty one', async () => {
  expect(await run('let a = 1;')).toMatchObject({ output: '', error: null });
});

test('promises are run to their end', async () => {
  expect(await run('Promise.resolve(29).then((value) => console.log(value)); undefined')).toMatchObject({
    output: '29\n',
  });
});

test.each([
  ['(async () => 6 * 7)()', '42\n'],
  ['Promise.resolve()', ''],
  ['Promise.resolve([1]).then((list) => [...list, 2])', '[1,2]\n'],
  ['new Promise(() => {})', ''],
  ['await Promise.resolve(29)', '29\n'],
  ['const a = Promise.reject(1); await null; a.catch(() => {}); 2', '2\n'],
  ['Promise.reject(1).catch(() => {}); 2', '2\n'],
  ['try { await Promise.reject(1) } catch (one) { console.log(one) }', '1\n'],
])('%s prints what the promise becomes', async (code, output) => {
  expect(await run(code)).toMatchObject({ output, error: null });
});

test.each([
  ['throw new TypeError("no")', 'TypeError: no'],
  ['(async () => { throw new TypeError("no"); })()', 'TypeError: no'],
  ['(async () => { await null; throw "text"; })()', 'text'],
  ['Promise.reject()', 'undefined'],
  ['Promise.reject(new Error("x")); 1', 'Error: x'],
  ['(async () => { await null; throw new TypeError("no"); })(); 1', 'TypeError: no'],
  ['Promise.resolve().then(() => missing); console.log(1)', 'ReferenceError: missing is not defined'],
  ['const late = Promise.reject(new Error("first")); Promise.reject(1).catch(() => {}); 1', 'Error: first'],
  ['await (async () => { throw new RangeError("far"); })()', 'RangeError: far'],
  ['await new Promise(() => {})', 'awaits what never comes'],
  ['Promise.prototype.then = Promise.prototype.catch = 1; Promise.reject(29); 1', '29'],
  ['throw "text"', 'text'],
  ['throw { toString() { throw 1; } }', '{}'],
  ['1 +', 'SyntaxError'],
  ['missing', 'ReferenceError: missing is not defined'],
  ['(function f() { f(); })()', 'stack'],
])('%s fails with words', async (code, words) => {
  const { output, error } = await run(code);
  expect(output).toBeNull();
  expect(error).toContain(words);
});

test('the words of an error are bounded', async () => {
  const { error } = await run('throw new Error("a".repeat(2e6))');
  expect(error).toBe(`Error: ${'a'.repeat(993)}`);
});

test.each([
  ['for (;;);', 'did not end within 0.3 seconds'],
  ['(async () => { for (;;); })()', 'did not end within 0.3 seconds'],
  ['(async () => { await null; for (;;); })()', 'did not end within 0.3 seconds'],
  ['(async () => { for (;;) await console.log("x".repeat(1000)); })()', 'printed more than 65536 characters'],
  ['try { for (;;); } finally { for (;;); }', 'did not end within 0.3 seconds'],
  ['for (;;) console.log("x".repeat(1000))', 'printed more than 65536 characters'],
  ['let a = []; for (;;) a.push(new ArrayBuffer(1e6))', 'memory'],
  ['let s = "x"; for (;;) s += s', 'string too long'],
  ['new Array(1e9).fill(1)', ''],
])('%s is ended', async (code, words) => {
  const { output, error } = await run(code, 'javascript', { ...programLimits, timeMs: 300 });
  expect(output).toBeNull();
  expect(error).toContain(words);
});

test('a program has neither the host nor a network, files or other modules', async () => {
  const names = ['process', 'require', 'fetch', 'setTimeout', 'WebAssembly', 'Worker', 'std', 'os', 'Buffer'];
  const { output } = await run(`${JSON.stringify(names)}.filter((name) => name in globalThis)`);
  expect(output).toBe('[]\n');
  expect(
    (await run('import("node:fs").then((fs) => console.log(fs), (error) => console.log("refused"))')).output,
  ).toContain('refused');
});

test('an aborted program is ended', async () => {
  const since = performance.now();
  await run('for (;;);', 'javascript', { ...programLimits, timeMs: 20_000 }, AbortSignal.timeout(200));
  expect(performance.now() - since).toBeLessThan(10_000);
});

test('a call with other arguments is an error in words', async () => {
  expect(await run('1', 'cobol')).toMatchObject({
    output: null,
    error: expect.stringContaining('no language "cobol"'),
  });
  expect(await run(29)).toMatchObject({ error: expect.stringContaining('code and language') });
  const broken = await executeCode().run({ id: 'call_2', name: 'execute_code', arguments: '{"code":' }, never);
  expect(broken).toMatchObject({ tool_call_id: 'call_2', error: expect.stringContaining('code and language') });
});
