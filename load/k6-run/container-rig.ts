import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { standIn } from '../k6/stand-in/test-rig.ts';

const run = promisify(execFile);

/** A container engine of this machine, with an image whose k6 is the stand-in. */
export interface ContainerEngine {
  readonly image: string;
  /** How testcontainers finds the engine. */
  readonly env: Readonly<Record<string, string>>;
  /** Containers of the image, whatever their state. */
  containers(): Promise<readonly string[]>;
  close(): Promise<void>;
}

const image = 'localhost/stack29-k6-stand-in';

/** Opens Docker, or else Podman. @returns why there is none, where it cannot run a container */
export async function openContainerEngine(): Promise<ContainerEngine | string> {
  if (process.platform !== 'linux') return 'the image is made of the Node of this machine, which must be a Linux';
  try {
    createRequire(import.meta.url).resolve('testcontainers');
  } catch {
    return 'testcontainers is not installed';
  }
  if (!existsSync(standIn)) return 'the stand-in is not built';
  if (answers('docker')) return withImage('docker', {}, async () => {});
  if (!answers('podman')) return 'neither docker nor podman answers';
  return openPodman();
}

function answers(program: string): boolean {
  try {
    execFileSync(program, ['info'], { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/** Podman answers on a socket only while it is told to. */
async function openPodman(): Promise<ContainerEngine | string> {
  const folder = await mkdtemp(join(tmpdir(), 'stack29-podman-'));
  const [conf, socket] = [join(folder, 'containers.conf'), join(folder, 'podman.sock')];
  // Its own limits are above what a confined machine may give.
  await writeFile(conf, '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n');
  const service = spawn('podman', ['system', 'service', '--time=0', `unix://${socket}`], {
    env: { ...process.env, CONTAINERS_CONF: conf },
    stdio: 'ignore',
  });
  const close = async () => {
    service.kill();
    await rm(folder, { recursive: true });
  };
  for (let tries = 0; !existsSync(socket); tries += 1) {
    if (tries === 100 || service.exitCode !== null) {
      await close();
      return 'podman does not serve its socket';
    }
    await sleep(100);
  }
  // Its helper that cleans up is an image to fetch.
  const env = { DOCKER_HOST: `unix://${socket}`, TESTCONTAINERS_RYUK_DISABLED: 'true' };
  return withImage('podman', { ...env, CONTAINERS_CONF: conf }, close);
}

/** By the way that the command takes: an engine may run containers by its own command, and none by its socket. */
const trial = `
  import { GenericContainer } from 'testcontainers';
  const container = new GenericContainer('${image}').withEntrypoint(['sleep', '60']).withNetworkMode('host');
  const started = await container.start();
  const { exitCode } = await started.exec(['true']).finally(() => started.stop());
  process.exit(exitCode);`;

async function withImage(
  program: string,
  env: Readonly<Record<string, string>>,
  close: () => Promise<void>,
): Promise<ContainerEngine | string> {
  const call = async (...options: readonly string[]) => {
    const { stdout } = await run(program, options, { env: { ...process.env, ...env }, timeout: 60_000 });
    return stdout.split('\n').filter((line) => line !== '');
  };
  try {
    await buildImage(call);
    await run(process.execPath, ['--input-type=module', '--eval', trial], { env: { ...process.env, ...env } });
  } catch (error) {
    await close();
    return `${program} cannot run a container: ${(error as Error).message}`;
  }
  return { image, env, containers: () => call('ps', '--all', '--quiet', '--filter', `ancestor=${image}`), close };
}

/** What scripts are run by: a shell, its tools, and Node. */
const programs = ['/bin/sh', '/bin/cat', '/bin/sleep', '/bin/true', process.execPath];

/** The stand-in is built without these. */
const packages = ['eventsource-parser', 'undici', 'ws'];

/** An image that holds these programs of this machine, their libraries, and the stand-in. */
async function buildImage(call: (...options: readonly string[]) => Promise<unknown>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'stack29-image-'));
  const root = join(folder, 'root');
  const put = (from: string, to: string) => cp(from, join(root, to), { recursive: true, dereference: true });
  try {
    await mkdir(join(root, 'tmp'), { recursive: true });
    await chmod(join(root, 'tmp'), 0o1777);
    for (const program of programs) {
      await put(program, program);
      const { stdout } = await run('ldd', [program]);
      for (const [library] of stdout.matchAll(/\/\S+/g)) await put(await realpath(library), library);
    }
    await put(dirname(standIn), '/opt/k6-stand-in');
    for (const name of packages) await put(`node_modules/${name}`, `/opt/node_modules/${name}`);
    await mkdir(join(root, 'usr/local/bin'), { recursive: true });
    const k6 = `#!/bin/sh\nexec '${process.execPath}' /opt/k6-stand-in/main.js "$@"\n`;
    await writeFile(join(root, 'usr/local/bin/k6'), k6, { mode: 0o755 });
    await writeFile(join(folder, 'Containerfile'), 'FROM scratch\nCOPY . /\nENV PATH=/usr/local/bin:/bin\n');
    await call('build', '--quiet', '--tag', image, '--file', join(folder, 'Containerfile'), root);
  } finally {
    await rm(folder, { recursive: true });
  }
}
