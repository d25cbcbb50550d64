import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GgufOptions } from '../../reference-server/backends/gguf-protocol.ts';
import { startReference } from '../reference.ts';
import { type ChatServer, modelOf, SubjectProblem, tokensOf } from './chat-client.ts';
import { serverName } from './figures.ts';
import type { Workload } from './workload.ts';

/** Something that makes tokens out of a model. */
export interface Subject {
  readonly name: string;
  /** How many tokens it makes. */
  generate(workload: Workload): Promise<number>;
  close(): Promise<void>;
}

interface RawModel extends Subject {
  /** The name of the GPU, or CPU. */
  readonly device: string;
  readonly threads: number;
}

const program = (name: string) => new URL(`./${name}.js`, import.meta.url).pathname;

/** node-llama-cpp, used as it is. */
export async function rawModel(options: GgufOptions): Promise<RawModel> {
  // As the reference server starts the process of its model.
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
  const child = fork(program('bench-raw-model'), [JSON.stringify(options)], { env, execArgv: [] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new SubjectProblem(`the process of the raw model ended with ${code}`);
  });
  ended.catch(() => {});
  const next = async () => (await Promise.race([once(child, 'message'), ended]))[0];
  const { device, threads } = (await next()) as Pick<RawModel, 'device' | 'threads'>;
  return {
    name: 'node-llama-cpp, raw',
    device,
    threads,
    async generate(workload) {
      child.send(workload);
      return (await next()) as number;
    },
    close: () => end(child),
  };
}

/** The reference server, as its command starts it. */
export async function referenceServer({
  modelPath,
  gpu,
  contextSize,
}: GgufOptions): Promise<Subject & { server: ChatServer }> {
  const reference = await startReference(program('stack29-conformance'), {
    tier: 'unlimited',
    gguf: modelPath,
    gpu: String(gpu),
    contextSize,
  });
  const server = await modelOf(reference.url, reference.key);
  return {
    name: serverName,
    server,
    generate: (workload) => tokensOf(server, workload),
    close: reference.close,
  };
}

/** llama.cpp's own server, with as many threads as the others have. */
export async function llamaServer(path: string, threads: number, options: GgufOptions): Promise<Subject> {
  const port = await freePort();
  const { sequences = 8, contextSize = 4096, modelPath } = options;
  const child = spawn(
    path,
    Object.entries({
      '--model': modelPath,
      '--port': port,
      '--parallel': sequences,
      '--ctx-size': sequences * contextSize,
      '--threads': threads,
      '--flash-attn': options.gpu === false ? 'off' : 'on',
      '--n-gpu-layers': options.gpu === false ? 0 : 999,
    }).flatMap(([name, value]) => [name, String(value)]),
    { stdio: 'ignore' },
  );
  let problem: SubjectProblem | undefined;
  child.once('error', ({ message }) => {
    problem = new SubjectProblem(`${path}: ${message}`);
  });
  child.once('exit', (code) => {
    problem = new SubjectProblem(`${path} ended with ${code}`);
  });
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/health`).catch(() => undefined))?.ok) {
    if (problem) throw problem;
    await sleep(50);
  }
  const server = await modelOf(`${url}/v1`, 'none');
  return { name: 'llama-server', generate: (workload) => tokensOf(server, workload), close: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
