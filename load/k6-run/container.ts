import { once } from 'node:events';
import { LoadProblem } from '../problem.ts';
import { readScript } from './scripts.ts';
import type { K6Outcome, K6Task } from './task.ts';

/** The public image of k6, pinned. */
export const k6Image = 'grafana/k6:2.2.0';

/** By which the result is told from what else the container prints. */
const resultStart = '{"format":"stack29-load/1"';

/** What is used of testcontainers, an optional peer. */
interface Testcontainers {
  readonly GenericContainer: new (image: string) => Container;
  readonly TestContainers: { exposeHostPorts(...ports: readonly number[]): Promise<void> };
}

interface Container {
  withEntrypoint(entrypoint: readonly string[]): Container;
  withCommand(command: readonly string[]): Container;
  withEnvironment(env: Readonly<Record<string, string>>): Container;
  withCopyContentToContainer(files: readonly { readonly content: string; readonly target: string }[]): Container;
  withLogConsumer(consume: (stream: NodeJS.ReadableStream) => void): Container;
  start(): Promise<{ stop(): Promise<unknown> }>;
}

/**
 * Runs a script in the pinned image.
 * @throws LoadProblem where there is no container engine, or the package for it is missing
 */
export async function runInContainer({ script, env, endpoint, signal }: K6Task): Promise<K6Outcome> {
  const { GenericContainer, TestContainers } = await loadTestcontainers();
  const url = new URL(endpoint.url);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (isHere) await TestContainers.exposeHostPorts(Number(url.port || (url.protocol === 'https:' ? 443 : 80)));
  if (isHere) url.hostname = 'host.testcontainers.internal';
  let output = '';
  const ended = new AbortController();
  const container = new GenericContainer(k6Image)
    .withCopyContentToContainer([
      { content: readScript(script), target: '/tmp/script.js' },
      ...(endpoint.ca === undefined ? [] : [{ content: endpoint.ca, target: '/tmp/ca.pem' }]),
    ])
    .withEnvironment({
      ...env,
      STACK29_URL: url.href.replace(/\/+$/, ''),
      STACK29_RESULT: 'stdout',
      ...(endpoint.ca !== undefined && { SSL_CERT_FILE: '/tmp/ca.pem' }),
      ...(endpoint.insecure && { K6_INSECURE_SKIP_TLS_VERIFY: 'true' }),
    })
    // The code is printed, as a container that ends with another than 0 counts as one that did not start.
    .withEntrypoint(['sh', '-c'])
    .withCommand(['k6 run --quiet /tmp/script.js; echo "k6 ended with $?"'])
    .withLogConsumer((stream) => {
      stream.on('data', (text: unknown) => {
        output += String(text);
      });
      stream.on('end', () => ended.abort());
    });
  const started = await container.start().catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LoadProblem('usage', `there is no k6 on PATH, and ${k6Image} cannot be run: ${reason}`);
  });
  signal.addEventListener('abort', () => ended.abort());
  if (!ended.signal.aborted) await once(ended.signal, 'abort');
  await started.stop();
  const lines = output.split('\n');
  const [, code] = /k6 ended with (\d+)/.exec(output) ?? [];
  return {
    code: code === undefined ? null : Number(code),
    written: lines.find((line) => line.startsWith(resultStart)) ?? '',
    words: lines.filter((line) => !line.startsWith(resultStart)).join('\n'),
  };
}

async function loadTestcontainers(): Promise<Testcontainers> {
  // The name is no literal, as the types of the package are not there when this is built.
  const name: string = 'testcontainers';
  try {
    return await import(name);
  } catch {
    throw new LoadProblem(
      'usage',
      'there is no k6 on PATH: install k6 (https://grafana.com/docs/k6/latest/set-up/install-k6/) or give --k6 FILE; ' +
        'or, where a container engine runs, npm install testcontainers@11 to run its image',
    );
  }
}
