import { LoadProblem } from '../problem.ts';
import { outliveFirstSignal } from './first-signal.ts';
import { readScript } from './scripts.ts';
import type { K6Outcome, K6Task } from './task.ts';

/** What is used of testcontainers, an optional peer. */
interface Testcontainers {
  readonly GenericContainer: new (image: string) => Container;
  getContainerRuntimeClient(): Promise<{
    readonly info: { readonly containerRuntime: { readonly host: string; readonly operatingSystem: string } };
  }>;
}

interface Container {
  withEntrypoint(entrypoint: readonly string[]): Container;
  withNetworkMode(mode: string): Container;
  withCopyContentToContainer(files: readonly { readonly content: string; readonly target: string }[]): Container;
  start(): Promise<StartedContainer>;
}

interface StartedContainer {
  exec(
    command: readonly string[],
    options?: { readonly env: Readonly<Record<string, string>> },
  ): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number }>;
  stop(): Promise<unknown>;
}

/** Longer than any script runs: what nobody ends any more ends by itself. */
const lifeSeconds = 86_400;

/** It tells where an interruption is to go. */
const run = 'echo $$ > /tmp/k6.pid; exec k6 run --quiet /tmp/script.js > /dev/null';
const interrupt = 'for try in 1 2 3 4 5; do kill -INT "$(cat /tmp/k6.pid)" && exit; sleep 1; done';

/**
 * Runs a script by the k6 of an image. An interruption lets k6 end by itself, so that there is a result.
 * @throws LoadProblem where there is no container engine, the package for it is missing, or the image cannot be run
 */
export async function runInContainer(image: string, task: K6Task): Promise<K6Outcome> {
  const end = outliveFirstSignal();
  try {
    return await runOnce(image, task);
  } finally {
    end();
  }
}

async function runOnce(image: string, { script, env, trace, endpoint, signal }: K6Task): Promise<K6Outcome> {
  const { GenericContainer, getContainerRuntimeClient } = await loadTestcontainers();
  const { info } = await getContainerRuntimeClient().catch((error: unknown) => {
    throw new LoadProblem(
      'usage',
      `${image} cannot be run, as no container engine answers: ${messageOf(error)}; ${advice}`,
    );
  });
  const { network, url } = wayTo(endpoint.url, info.containerRuntime.operatingSystem);
  const place = `in a container of ${image} on ${info.containerRuntime.host}`;
  const container = new GenericContainer(image)
    .withCopyContentToContainer([
      { content: readScript(script), target: '/tmp/script.js' },
      ...(trace === undefined ? [] : [{ content: trace, target: '/tmp/trace.jsonl' }]),
      ...(endpoint.ca === undefined ? [] : [{ content: endpoint.ca, target: '/tmp/ca.pem' }]),
    ])
    .withEntrypoint(['sleep', String(lifeSeconds)]);
  if (network !== undefined) container.withNetworkMode(network);
  const started = await container.start().catch((error: unknown) => {
    const hint = /ryuk/.test(messageOf(error)) ? '; TESTCONTAINERS_RYUK_DISABLED=true does without its helper' : '';
    throw new LoadProblem('usage', `${image} cannot be run: ${messageOf(error)}${hint}`);
  });
  // Where the container is gone, so is what was to be ended.
  const stop = () => void started.exec(['sh', '-c', interrupt]).catch(() => {});
  try {
    if (signal.aborted) return { place, code: null, written: '', words: '' };
    signal.addEventListener('abort', stop, { once: true });
    const { exitCode, stderr } = await started.exec(['sh', '-c', run], {
      env: {
        ...env,
        STACK29_URL: url,
        STACK29_RESULT: '/tmp/result.json',
        ...(trace !== undefined && { STACK29_TRACE: '/tmp/trace.jsonl' }),
        ...(endpoint.ca !== undefined && { SSL_CERT_FILE: '/tmp/ca.pem' }),
        ...(endpoint.insecure && { K6_INSECURE_SKIP_TLS_VERIFY: 'true' }),
      },
    });
    signal.removeEventListener('abort', stop);
    const { stdout: written } = await started.exec(['sh', '-c', 'cat /tmp/result.json 2> /dev/null']);
    return { place, code: exitCode, written, words: stderr };
  } finally {
    signal.removeEventListener('abort', stop);
    await started.stop();
  }
}

/**
 * How a container reaches a target, that on this machine by this machine's own network, or where containers run in a
 * virtual machine, by the name that this one has there.
 * @param operatingSystem of the container engine
 */
function wayTo(target: string, operatingSystem: string): { readonly network?: string; readonly url: string } {
  const url = new URL(target);
  if (!['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)) return { url: target };
  if (process.platform === 'linux' && !operatingSystem.includes('Docker Desktop'))
    return { network: 'host', url: target };
  url.hostname = 'host.docker.internal';
  return { url: url.href.replace(/\/+$/, '') };
}

const advice =
  'or install k6 (https://grafana.com/docs/k6/latest/set-up/install-k6/), so that it is on PATH or at --k6 FILE';

async function loadTestcontainers(): Promise<Testcontainers> {
  // The name is no literal, as the types of the package are not there when this is built.
  const name: string = 'testcontainers';
  try {
    return await import(name);
  } catch {
    throw new LoadProblem(
      'usage',
      `an image of k6 cannot be run without its package: npm install testcontainers@11; ${advice}`,
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
