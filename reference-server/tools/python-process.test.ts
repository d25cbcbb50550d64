import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ProgramLimits, programLimits } from './program-limits.ts';
import { runPython } from './python-process.ts';

beforeAll(() => {
  if (!existsSync(join(import.meta.dirname, '../../dist/python-program.js')))
    throw new Error('these tests run the built programs: npm run build');
});

const never = new AbortController().signal;
const patient = { ...programLimits, timeMs: 30_000 };
const run = (code: string, limits: ProgramLimits = programLimits, signal = never) =>
  runPython({ code, limits }, signal);

describe('a program in Python', { timeout: 90_000 }, () => {
  test('has what it prints and its last value as its output', async () => {
    expect(await run('for n in range(2):\n  print("Hello", n)\n6 * 7')).toEqual({ output: 'Hello 0\nHello 1\n42\n' });
  });

  test('fails with the last words of its traceback', async () => {
    expect(await run('1 / 0')).toEqual({ error: 'ZeroDivisionError: division by zero' });
  });

  test('is ended when it takes too long', async () => {
    expect(await run('while True: pass', { ...programLimits, timeMs: 500 })).toEqual({
      error: 'the program did not end within 0.5 seconds',
    });
  });

  test('is ended when it takes too much memory', async () => {
    expect(await run('bytearray(10**9)', patient)).toEqual({ error: 'MemoryError' });
  });

  // Only Linux tells a process how much memory another one has.
  test.runIf(process.platform === 'linux')('is ended when it takes too much memory of its host', async () => {
    const program = 'from pyodide.ffi import to_js\nkept = []\nwhile True: kept.append(to_js(bytes(2**22)))';
    expect(await run(program, patient)).toEqual({ error: 'the program took more than 128 MiB of memory' });
  });

  test('is ended when it makes too many objects of its host', async () => {
    const program = 'from pyodide.ffi import to_js\nkept = []\nwhile True: kept.append(to_js(["a"] * 10**5))';
    expect(Object(await run(program, patient)).error).toMatch(/beyond its limits|MiB of memory/);
  });

  test('is ended when it prints too much', async () => {
    const { error } = Object(await run('while True: print("x" * 1000)'));
    expect(error).toBe('the program printed more than 65536 characters');
  });

  test('reaches neither the host nor its files or network', async () => {
    const attempts = {
      code: "from pyodide.ffi import to_js\nto_js([]).constructor.constructor('return process')()",
      file: `import _pyodide_core\nopen(${JSON.stringify(import.meta.filename)}).read()`,
      modules: 'import js',
      interpreter: 'import pyodide_js',
      parts: 'from pyodide_js import FS',
      network: "import socket\ns = socket.create_connection(('127.0.0.1', 9), 1)\ns.send(b'x')\ns.recv(1)",
      http: "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/')",
    };
    const program = Object.entries(attempts)
      .map(
        ([name, code]) =>
          `try:\n  exec(${JSON.stringify(code)})\n  print("${name} is open")\nexcept BaseException as error:\n  pass\n`,
      )
      .join('');
    expect(await run(program, patient)).toEqual({ output: '' });
  });

  test('finds no files of the host where it mounts them', async () => {
    const program = "import os, pyodide_js\npyodide_js.mountNodeFS('/host', '/')\nprint(os.listdir('/host'))";
    expect(await run(program, patient)).toEqual({
      error: 'ModuleNotFoundError: import of pyodide_js halted; None in sys.modules',
    });
  });

  test('starts no process', async () => {
    const { error } = Object(await run("import os\nos.system('true')"));
    expect(error).toBe('Access to this API has been restricted');
  });
});
