import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';
import { EvalFlags, type JSValueHandle, QuickJS, type QuickJSOptions } from 'quickjs-wasi';
import { prelude } from './javascript-prelude.ts';
import { Printed, type ProgramLimits, type ProgramOutcome, type ProgramRequest, tooLong } from './program-limits.ts';

// The program of a worker that runs JavaScript programs in QuickJS, one after the other, each in an instance with a
// memory of its own. The interpreter has neither network nor files: what it is not given it cannot reach.

declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

const stackBytes = 128 * 2 ** 10;
/** What a promise that is neither kept nor broken says of itself. */
const pending = 0;

const wasm = WebAssembly.compile(readFileSync(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm')));

parentPort?.on('message', async ({ code, limits }: ProgramRequest) => {
  parentPort?.postMessage(await runProgram(code, limits));
});

interface Rejection {
  /** Held, so that no other promise takes its identity. */
  readonly promise: JSValueHandle;
  readonly reason: JSValueHandle;
}

async function runProgram(source: string, limits: ProgramLimits): Promise<ProgramOutcome> {
  const printed = new Printed(limits.outputLength);
  const deadline = Date.now() + limits.timeMs;
  const unhandled = new Map<number, Rejection>();
  let full = false;
  let late = false;
  const options: QuickJSOptions = {
    wasm: await wasm,
    memoryLimit: limits.memoryBytes,
    maxStackSize: stackBytes,
    interruptHandler() {
      late ||= Date.now() > deadline;
      return full || late;
    },
    onUnhandledRejection(promise, reason, isHandled) {
      if (isHandled) unhandled.delete(promise.identity);
      else unhandled.set(promise.identity, { promise: promise.dup(), reason: reason.dup() });
    },
  };
  const vm = await QuickJS.create(options);
  const print = vm.newFunction('print', (text) => {
    full = !printed.add(`${text}\n`);
    return vm.undefined;
  });
  const call = (callee: JSValueHandle, ...values: JSValueHandle[]) => vm.callFunction(callee, vm.undefined, ...values);
  try {
    const { words, printLast } = toolsOf(call(vm.evalCode(`(${prelude})`), print));
    const ended = vm.evalCode(source, 'program.js', EvalFlags.ASYNC);
    call(printLast, ended);
    vm.executePendingJobs();
    if (full) return printed.outcome();
    if (late) return { error: tooLong(limits) };
    // A rejection that nothing handled by now is never handled: nothing is left that could.
    for (const { reason } of unhandled.values()) return { error: `${call(words, reason)}` };
    if (ended.promiseState === pending) return { error: 'the program awaits what never comes' };
    return printed.outcome();
  } catch (error) {
    if (full) return printed.outcome();
    if (late) return { error: tooLong(limits) };
    const { name, message } = error as Error;
    return { error: `${name}: ${message}` };
  }
}

function toolsOf(tools: JSValueHandle) {
  return { words: tools.getProp('words'), printLast: tools.getProp('printLast') };
}
