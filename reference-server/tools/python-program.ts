import dgram from 'node:dgram';
import dns from 'node:dns';
import { constants } from 'node:fs';
import net from 'node:net';
import { Printed, type ProgramOutcome, type ProgramRequest } from './program-limits.ts';

// The program of a process that runs one Python program in Pyodide. Pyodide lets a program reach its host, so the process
// is bare: started with Node's permission model it reads nothing but Pyodide itself, starts no process and makes no code
// out of text; the network is taken away here, before Pyodide is loaded.

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
declare const WebAssembly: { readonly Memory: { readonly prototype: WasmMemory } };

const wasmPage = 64 * 2 ** 10;

process.on('disconnect', leave);
process.once('message', async (request: ProgramRequest) => {
  process.send?.(await runProgram(request).catch((error: unknown) => ({ error: words(error) })), leave);
});
process.send?.('ready');

async function runProgram({ code, limits }: ProgramRequest): Promise<ProgramOutcome> {
  takeNetworkAway();
  boundMemory(limits.memoryBytes);
  // Pyodide asks for the constants of files in a way that the permission model forbids.
  Object.assign(process, { binding: () => ({ fs: constants }) });
  // By its own place: a link to it, as package managers set, leads through folders that this process cannot read.
  const [, , interpreter = 'pyodide'] = process.argv;
  const { loadPyodide } = (await import(interpreter)) as typeof import('pyodide');
  const python = await loadPyodide({ jsglobals: Object.create(null) });
  for (const name of ['js', 'pyodide_js']) python.unregisterJsModule(name);
  // Pyodide itself has imported them, and what is None here is not found again.
  python.runPython('import sys\nfor name in "js", "pyodide_js": sys.modules[name] = None');
  const printed = new Printed(limits.outputLength);
  const decoder = new TextDecoder();
  const write = (bytes: Uint8Array) => {
    if (!printed.add(decoder.decode(bytes, { stream: true }))) throw new Error('too much output');
    return bytes.length;
  };
  python.setStdout({ write });
  python.setStderr({ write });
  await new Promise<void>((resolve) => process.send?.('started', () => resolve()));
  try {
    const value: unknown = python.runPython(code);
    if (value !== undefined) printed.add(`${value}\n`);
    return printed.outcome();
  } catch (error) {
    const outcome = printed.outcome();
    return 'error' in outcome ? outcome : { error: words(error) };
  }
}

function takeNetworkAway(): void {
  const refuse = () => {
    throw new Error('there is no network here');
  };
  Object.assign(net.Socket.prototype, { connect: refuse });
  Object.assign(net.Server.prototype, { listen: refuse });
  Object.assign(dgram.Socket.prototype, { bind: refuse, connect: refuse, send: refuse });
  for (const name of Object.keys(dns).filter((key) => /^(lookup|resolve|reverse)/.test(key))) {
    Object.assign(dns, { [name]: refuse });
  }
  for (const name of ['fetch', 'WebSocket', 'EventSource']) Reflect.deleteProperty(globalThis, name);
}

/** Pyodide asks for each piece of its memory here. */
function boundMemory(bytes: number): void {
  const { prototype } = WebAssembly.Memory;
  const { grow } = prototype;
  prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * wasmPage > bytes) throw new RangeError('the limit of memory is reached');
    return grow.call(this, pages);
  };
}

/** The last line of a traceback says what is wrong. */
function words(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trimEnd().split('\n').at(-1) ?? text;
}

function leave(): void {
  // biome-ignore lint/nursery/noProcessExit: what Pyodide holds would keep this process alive
  process.exit();
}
