import { LoadProblem } from '../problem.ts';
import { outliveFirstSignal } from './first-signal.ts';
import { readScript } from './scripts.ts';
import type { K6Outcome, K6Task } from './task.ts';

/** What is used of testcontainers, an optional peer. */
interface Testcontainers {
  readonly GenericContainer: new (image: string) => Container;
  readonly ImageName: { fromString(name: string): ImageName };
  getContainerRuntimeClient(): Promise<{
    readonly info: { readonly containerRuntime: { readonly host: string; readonly operatingSystem: string } };
    readonly image: { exists(name: ImageName): Promise<boolean>; pull(name: ImageName): Promise<void> };
  }>;
}

interface ImageName {
  readonly string: string;
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
 * Runs a script by the k6 of an image. An interruption lets k6 end by itself, so that there is a result; while the image
 * is fetched, it ends at once.
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

async function runOnce(name: string, { script, env, trace, endpoint, signal, say }: K6Task): Promise<K6Outcome> {
  const { GenericContainer, ImageName, getContainerRuntimeClient } = await loadTestcontainers();
  const cannotRun = (reason: string) => new LoadProblem('usage', `${name} cannot be run: ${reason}`);
  const engine = await unlessAborted(
    signal,
    getContainerRuntimeClient().catch((error: unknown) => {
      throw cannotRun(`no container engine answers: ${messageOf(error)}; ${advice}`);
    }),
  );
  if (engine === undefined) return interrupted;
  const { info } = engine;
  const image = ImageName.fromString(name);
  const fetching = (async () => {
    if (await engine.image.exists(image)) return true;
    say(`fetching the image ${name}`);
    await engine.image.pull(image);
    return true;
  })().catch((error: unknown) => {
    throw cannotRun(messageOf(error));
  });
  if ((await unlessAborted(signal, fetching)) === undefined) return interrupted;
  const { network, url } = wayTo(endpoint.url, info.containerRuntime.operatingSystem);
  const place = `in a container of ${name} on ${info.containerRuntime.host}`;
  const container = new GenericContainer(name)
    .withCopyContentToContainer([
      { content: readScript(script), target: '/tmp/script.js' },
      ...(trace === undefined ? [] : [{ content: trace, target: '/tmp/trace.jsonl' }]),
      ...(endpoint.ca === undefined ? [] : [{ content: endpoint.ca, target: '/tmp/ca.pem' }]),
    ])
    .withEntrypoint(['sleep', String(lifeSeconds)]);
  if (network !== undefined) container.withNetworkMode(network);
  const started = await container.start().catch((error: unknown) => {
    const hint = /ryuk/.test(messageOf(error)) ? '; TESTCONTAINERS_RYUK_DISABLED=true does without its helper' : '';
    throw cannotRun(`${messageOf(error)}${hint}`);
  });
  // Where the container is gone, so is what was to be ended.
  const stop = () => void started.exec(['sh', '-c', interrupt]).catch(() => {});
  try {
    if (signal.aborted) return interrupted;
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

/** What comes of a task that was ended before k6 began. */
const interrupted: K6Outcome = { code: null, written: '', words: '' };

/** What a promise gives; `undefined` at once where a signal ends the wait for it, whatever comes of it then. */
async function unlessAborted<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value | undefined> {
  promise.catch(() => {});
  let leave = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    leave = () => resolve(undefined);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
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
