import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ReferenceWish as LoadWish } from '../load/host.ts';
import { type Limits, tierLimits } from '../reference-server/limits/tiers.ts';
import { TargetProblem } from '../suites/baseline.ts';
import type { Reference, ReferenceWish as RunWish } from '../suites/command/host.ts';

/** The shipped model loads within a second; of a large one the server itself tells after ten minutes. */
const startTimeoutMs = 660_000;
const endTimeoutMs = 2_000;

/** Tokens, unless it is said: the windows of a large model may not fit the memory, nor a longer prompt the plan of a run. */
const usualContextSize = 4096;

/** What the server must be. With a model, or what to compute on, it serves a GGUF model. */
export interface ReferenceWish extends LoadWish, RunWish {
  /** Tokens. */
  readonly contextSize?: number | undefined;
}

const limitsOf: Readonly<Record<ReferenceWish['tier'], Limits>> = {
  ...tierLimits,
  enterprise: { requestsPerMinute: 5_000, tokensPerDay: 100_000_000, concurrent: 50 },
  unlimited: { requestsPerMinute: 1e9, tokensPerDay: 1e12, concurrent: 1e6 },
};

/**
 * Starts the reference server in a process of its own, which never outlives this one: the program at `script` with
 * `serve`, and its keys in a file that only this user can read.
 * @param wish what it must be; by default one of the Free tier
 * @throws TargetProblem with the server's own words when it does not come up
 */
export async function startReference(script: string, wish: ReferenceWish = { tier: 'free' }): Promise<Reference> {
  const key = newKey();
  const disabledKey = newKey();
  const exhaustedKey = newKey();
  const folder = mkdtempSync(join(tmpdir(), 'stack29-'));
  const keys = join(folder, 'keys.json');
  const entries = [
    keyEntry(key, wish),
    { key: disabledKey, tier: 'free', disabled: true },
    { key: exhaustedKey, tier: 'free', tokensUsed: 100_000 },
  ];
  writeFileSync(keys, JSON.stringify(entries), { mode: 0o600 });
  const { windowSeconds } = wish.limits ?? {};
  const backend = backendOf(wish);
  const tools = isInstalled('quickjs-wasi');
  const options = ['--port', '0', '--keys', keys, '--backend', backend, '--allow-faults'];
  if (tools) options.push('--tools');
  if (windowSeconds !== undefined) options.push('--window', String(windowSeconds));
  options.push(...(backend === 'gguf' ? modelOf(wish) : paceOf(wish)));
  const { WEBHOOK_URL: _, WEBHOOK_SECRET: __, ...env } = process.env;
  const webhook = wish.webhookUrl && { WEBHOOK_URL: wish.webhookUrl, WEBHOOK_SECRET: newWebhookSecret() };
  const child = fork(script, ['serve', ...options], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...env, ...webhook },
  });
  const forgetKeys = () => rmSync(folder, { recursive: true, force: true });
  // A server that is asked to end ends the process of its model too; an open channel would keep it.
  const end = () => {
    child.kill();
    if (child.connected) child.disconnect();
    forgetKeys();
  };
  process.once('exit', end);
  const close = async () => {
    process.off('exit', end);
    end();
    if (child.exitCode !== null || child.signalCode !== null) return;
    const impatience = setTimeout(() => child.kill('SIGKILL'), endTimeoutMs);
    await once(child, 'exit');
    clearTimeout(impatience);
  };
  try {
    const url = await readyUrl(child);
    forgetKeys();
    const runsTools = tools ? 'javascript' : undefined;
    const description = descriptionOf(wish, backend);
    return { url, key, disabledKey, exhaustedKey, faultHeader: 'X-Stack29-Fault', runsTools, description, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The tier by its name where its limits are its own, so that the server says which it is. */
function keyEntry(key: string, { tier, limits: { windowSeconds: _, ...stated } = {} }: ReferenceWish) {
  const limits = { ...limitsOf[tier], ...stated };
  const isOwn = Object.entries(limitsOf[tier]).every(([name, value]) => limits[name as keyof Limits] === value);
  if (isOwn && (tier === 'free' || tier === 'pro')) return { key, tier };
  return { key, tier: 'enterprise', limits };
}

function backendOf({ backend, gguf, gpu }: ReferenceWish): 'gguf' | 'scripted' {
  if (gguf !== undefined || gpu !== undefined) return 'gguf';
  return backend ?? (isInstalled('node-llama-cpp') ? 'gguf' : 'scripted');
}

function descriptionOf({ backend, gguf, gpu }: ReferenceWish, used: 'gguf' | 'scripted'): string {
  if (used === 'gguf') {
    const model = gguf === undefined ? 'the shipped GGUF model' : `the GGUF model ${basename(gguf)}`;
    return gpu === undefined ? model : `${model} with --gpu ${gpu}`;
  }
  return backend === 'scripted'
    ? 'scripted text'
    : 'scripted text, as node-llama-cpp is not installed; npm install node-llama-cpp@3.21.1 brings the model';
}

function modelOf({ gguf, gpu, contextSize = usualContextSize }: ReferenceWish): string[] {
  return [
    ...['--context-size', String(contextSize)],
    ...(gguf === undefined ? [] : ['--model', gguf]),
    ...(gpu === undefined ? [] : ['--gpu', gpu]),
  ];
}

function paceOf({ ttft, tokensPerSecond }: ReferenceWish): string[] {
  return [
    ...(ttft === undefined ? [] : ['--ttft', String(ttft)]),
    ...(tokensPerSecond === undefined ? [] : ['--tokens-per-second', String(tokensPerSecond)]),
  ];
}

async function readyUrl(child: ChildProcess): Promise<string> {
  const words = child.stderr ? text(child.stderr) : Promise.resolve('');
  const fail = (reason: string) => {
    throw new TargetProblem('unreachable', `the reference server did not start: ${reason}`);
  };
  const [message] = await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(startTimeoutMs) }).catch((error) => fail(error.message)),
    once(child, 'exit').then(async () => fail((await words).trim().replace(/^error: /, ''))),
  ]);
  return isReady(message) ? message.url : fail('it sent something else than its readiness');
}

function isReady(message: unknown): message is { readonly url: string } {
  return typeof message === 'object' && message !== null && 'url' in message && typeof message.url === 'string';
}

function newKey(): string {
  return `sk-${randomBytes(24).toString('hex')}`;
}

function newWebhookSecret(): string {
  return `whsec_${randomBytes(24).toString('base64')}`;
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
