import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  shouldInterruptAfterDeadline,
} from 'quickjs-emscripten-core';
import { Printed, type ProgramLimits, type ProgramOutcome, type ProgramRequest, tooLong } from './program-limits.ts';

// The program of a worker that runs JavaScript programs in QuickJS, one after the other, each in an instance with a
// memory of its own. The interpreter has neither network nor files: what it is not given it cannot reach.

// The types of its ES module are those of its CommonJS module.
const { default: variant } = createRequire(import.meta.url)(
  '@jitl/quickjs-wasmfile-release-sync',
) as typeof import('@jitl/quickjs-wasmfile-release-sync');

declare const WebAssembly: { readonly Memory: new (pages: { initial: number; maximum: number }) => object };

const wasmPage = 64 * 2 ** 10;
const stackBytes = 128 * 2 ** 10;

parentPort?.on('message', async ({ code, limits }: ProgramRequest) => {
  parentPort?.postMessage(await runProgram(code, limits));
});

async function runProgram(source: string, limits: ProgramLimits): Promise<ProgramOutcome> {
  const { timeMs, memoryBytes, outputLength } = limits;
  // The memory of the module is the limit that holds: the interpreter's own lets large arrays pass.
  const wasmMemory = new WebAssembly.Memory({ initial: 256, maximum: Math.ceil(memoryBytes / wasmPage) });
  const quickjs = await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmMemory }));
  const runtime = quickjs.newRuntime();
  runtime.setMaxStackSize(stackBytes);
  const isOver = shouldInterruptAfterDeadline(Date.now() + timeMs);
  const printed = new Printed(outputLength);
  let full = false;
  runtime.setInterruptHandler((current) => full || isOver(current));
  const context = runtime.newContext();
  const print = (text: string) => {
    full = !printed.add(`${text}\n`);
  };
  offerConsole(context, print);
  try {
    const result = context.evalCode(source, 'program.js');
    if (result.error) return failure(context, result.error, printed, full, limits);
    const jobs = runtime.executePendingJobs();
    if (jobs.error) return failure(context, jobs.error, printed, full, limits);
    // Of what is no promise, it is the value.
    const ended = context.getPromiseState(result.value);
    if (ended.type === 'rejected') return failure(context, ended.error, printed, full, limits);
    // Nothing is left that a promise could still wait for.
    const isValue = ended.type === 'fulfilled' && context.typeof(ended.value) !== 'undefined';
    if (isValue) print(textOf(context, ended.value));
    return printed.outcome();
  } catch (error) {
    return { error: outOfMemory(error, memoryBytes) };
  }
}

function offerConsole(context: QuickJSContext, print: (text: string) => void): void {
  const log = context.newFunction('log', (...values) => {
    print(values.map((value) => textOf(context, value)).join(' '));
  });
  const console = context.newObject();
  for (const name of ['log', 'info', 'warn', 'error', 'debug']) context.setProp(console, name, log);
  context.setProp(context.global, 'console', console);
}

function textOf(context: QuickJSContext, handle: QuickJSHandle): string {
  if (context.typeof(handle) !== 'object') return context.getString(handle);
  const value: unknown = context.dump(handle);
  return JSON.stringify(value) ?? String(value);
}

function failure(
  context: QuickJSContext,
  error: QuickJSHandle,
  printed: Printed,
  full: boolean,
  limits: ProgramLimits,
): ProgramOutcome {
  if (full) return printed.outcome();
  const { name = 'Error', message = '' } = Object(context.dump(error)) as {
    readonly name?: string;
    readonly message?: string;
  };
  const interrupted = name === 'InternalError' && message === 'interrupted';
  if (interrupted) return { error: tooLong(limits) };
  return { error: typeof message === 'string' && message !== '' ? `${name}: ${message}` : textOf(context, error) };
}

/** The interpreter has no words for a memory that cannot grow. */
function outOfMemory(error: unknown, bytes: number): string {
  return `the program failed, most likely beyond ${bytes / 2 ** 20} MiB of memory: ${error instanceof Error ? error.message : error}`;
}
