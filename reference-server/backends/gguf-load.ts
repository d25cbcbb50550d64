import { open, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Llama, LlamaModel } from 'node-llama-cpp';
import packageJson from '../../package.json' with { type: 'json' };
import type { GgufOptions } from './gguf-protocol.ts';

/** A model in memory, and what its file and this machine say of it. */
export interface LoadedModel {
  readonly llamaCpp: typeof import('node-llama-cpp');
  readonly llama: Llama;
  readonly model: LlamaModel;
  readonly threads: number;
  /** Unix seconds of the file's last change. */
  readonly modified: number;
  /** So small that a second thread, or a wider batch, costs more than it gives. */
  readonly tiny: boolean;
}

const tinyBytes = 64 * 2 ** 20;

/** Reads a model into memory. @throws with what is wrong and what to do, but without the path */
export async function loadModel(options: GgufOptions): Promise<LoadedModel> {
  const { bytes, modified } = await fileFacts(options.modelPath);
  const llamaCpp = await nodeLlamaCpp();
  const tiny = bytes < tinyBytes;
  const threads = options.threads ?? (tiny ? 1 : Math.max(1, availableParallelism() - 1));
  const problems = new Set<string>();
  try {
    const llama = await llamaCpp.getLlama({
      gpu: options.gpu,
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      maxThreads: threads,
      logger: (level, message) => {
        if (level === 'error' || level === 'fatal') problems.add(message.trim());
      },
    });
    // A GPU of another system is passed over without a word.
    if (options.gpu && options.gpu !== 'auto' && llama.gpu !== options.gpu) throw new llamaCpp.NoBinaryFoundError();
    const model = await llama.loadModel({ modelPath: options.modelPath });
    return { llamaCpp, llama, model, threads, modified, tiny };
  } catch (error) {
    if (error instanceof llamaCpp.NoBinaryFoundError) throw new Error(noBuild(options.gpu));
    // The log of native code arrives a little later.
    await setTimeout(50);
    throw new Error([words(error), ...problems].join('; '));
  }
}

async function fileFacts(path: string): Promise<{ readonly bytes: number; readonly modified: number }> {
  const fail = (error: NodeJS.ErrnoException) => {
    throw new Error(`the file cannot be opened (${error.code})`);
  };
  const facts = await stat(path).catch(fail);
  // To open a pipe would wait for who writes to it.
  if (!facts.isFile()) throw new Error('it is not a regular file');
  const file = await open(path).catch(fail);
  try {
    const { size, mtimeMs } = facts;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (buffer.toString('latin1', 0, bytesRead) !== 'GGUF') throw new Error('it is not a GGUF file');
    return { bytes: size, modified: Math.floor(mtimeMs / 1000) };
  } finally {
    await file.close();
  }
}

function words(error: unknown): string {
  // The reader of node-llama-cpp trips over what is not there.
  if (error instanceof TypeError || error instanceof RangeError) return 'the file is cut short or damaged';
  return error instanceof Error ? error.message : String(error);
}

interface GpuBuild {
  /** Of the machines that there are builds for. */
  readonly systems: readonly string[];
  /** What a build finds on the machine. */
  readonly needs: string;
}

const gpuBuilds: Readonly<Record<Exclude<GgufOptions['gpu'], 'auto' | false>, GpuBuild>> = {
  cuda: { systems: ['linux-x64', 'win-x64'], needs: 'a driver, and cudart and cublas of CUDA 12 or 13' },
  vulkan: { systems: ['linux-x64', 'win-x64'], needs: 'a driver, and the Vulkan loader' },
  metal: { systems: ['mac-arm64'], needs: 'a GPU of Apple' },
};

/** What of a machine decides on the builds of node-llama-cpp. */
export interface Machine {
  /** As the builds are named: `linux-x64`. */
  readonly system: string;
  readonly isInstalled: (name: string) => boolean;
}

const systemNames: Readonly<Record<string, string>> = { darwin: 'mac', win32: 'win' };
const thisMachine: Machine = {
  system: `${systemNames[process.platform] ?? process.platform}-${process.arch}`,
  isInstalled(name) {
    try {
      createRequire(import.meta.url).resolve(name);
      return true;
    } catch {
      return false;
    }
  },
};

/** Says why there is nothing to compute on, and what to do. */
export function noBuild(gpu: GgufOptions['gpu'], { system, isInstalled } = thisMachine): string {
  if (!gpu || gpu === 'auto') {
    return `node-llama-cpp has no build for the CPU that works here: install @node-llama-cpp/${system}`;
  }
  const { systems, needs } = gpuBuilds[gpu];
  if (!systems.includes(system)) return `node-llama-cpp has no build for ${gpu} on ${system}: take another --gpu`;
  const name = `@node-llama-cpp/${system}-${gpu}`;
  return isInstalled(name)
    ? `${name} is installed and does not run here: it needs ${needs}; or take another --gpu`
    : `node-llama-cpp has no build for ${gpu} here: install ${name}, or take another --gpu`;
}

async function nodeLlamaCpp(): Promise<typeof import('node-llama-cpp')> {
  try {
    return await import('node-llama-cpp');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
    const wanted = `node-llama-cpp@${packageJson.peerDependencies['node-llama-cpp']}`;
    throw new Error(`node-llama-cpp is not installed: run npm install ${wanted}`);
  }
}
