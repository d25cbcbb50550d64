import { randomBytes } from 'node:crypto';
import { closest } from 'fastest-levenshtein';
import type { Behaviour } from './behaviour.ts';
import { BadKeys, type KeyEntry, keyOfTier, readKeyFile } from './keys/key-entries.ts';
import { BadStore, type LimitStore, memoryStore } from './limits/store.ts';
import { type Say, type ServeChoices, ServeError } from './serve-choices.ts';
import type { ToolRunner } from './tools/tool-runner.ts';
import { BadWebhook, parseWebhook, type WebhookTarget } from './webhooks/target.ts';

/** @throws ServeError where there is no such fault or dialect */
export async function behaviourOf({ fault, dialect }: ServeChoices): Promise<Behaviour> {
  if (fault !== undefined) return named('fault', fault, (await import('./faults/index.ts')).faults);
  if (dialect !== undefined) return named('dialect', dialect, (await import('./dialects.ts')).dialects);
  return {};
}

/** Runs calls of execute_code. @throws ServeError where what it takes is not installed */
export async function codeRunner(): Promise<ToolRunner> {
  const { executeCode, MissingTool } = await import('./tools/execute-code.ts');
  try {
    return executeCode();
  } catch (error) {
    if (error instanceof MissingTool) throw new ServeError(`--tools: ${error.message}`);
    throw error;
  }
}

function named(
  kind: string,
  id: string,
  table: Readonly<Record<string, { readonly behaviour: Behaviour }>>,
): Behaviour {
  if (Object.hasOwn(table, id) && table[id]) return table[id].behaviour;
  throw new ServeError(`there is no ${kind} ${id}; the nearest is ${closest(id, Object.keys(table))}`);
}

/** The keys to accept. One that had to be made up comes apart, since its user must be told. @throws ServeError */
export function keysOf({ keys }: ServeChoices): { readonly keys: readonly KeyEntry[]; readonly madeUp?: string } {
  const { API_KEY } = process.env;
  try {
    if (keys !== undefined) return { keys: readKeyFile(keys) };
    if (API_KEY !== undefined && API_KEY !== '') return { keys: [keyOfTier(API_KEY, 'free')] };
  } catch (error) {
    if (error instanceof BadKeys) throw new ServeError(error.message);
    throw error;
  }
  const madeUp = `sk-${randomBytes(24).toString('hex')}`;
  return { keys: [keyOfTier(madeUp, 'free')], madeUp };
}

/** Where the limits are counted. @throws ServeError */
export async function openStore(choices: ServeChoices, { windows }: Behaviour, say: Say): Promise<LimitStore> {
  const { state, limitsStore, window = 60 } = choices;
  try {
    if (limitsStore !== undefined) {
      const { openRedisStore } = await import('./limits/redis-store.ts');
      return await openRedisStore({ url: limitsStore, clock: Date.now, windowSeconds: window, warn: say });
    }
    const memory = memoryStore(Date.now, window, windows);
    if (state === undefined) return memory;
    const { openStateFile } = await import('./limits/state-file.ts');
    const file = await openStateFile(state, Date.now);
    return { ...memory, tokens: file.tokens, close: async () => file.close() };
  } catch (error) {
    throw error instanceof BadStore ? new ServeError(error.message) : error;
  }
}

/** The webhook of keys that have none of their own. @throws ServeError */
export function webhookOf({ webhookUrl }: ServeChoices): WebhookTarget | undefined {
  const { WEBHOOK_SECRET: secret } = process.env;
  if (webhookUrl === undefined) return undefined;
  try {
    return parseWebhook({ webhook_url: webhookUrl, secret: secret || undefined }, '--webhook-url and WEBHOOK_SECRET');
  } catch (error) {
    throw error instanceof BadWebhook ? new ServeError(error.message) : error;
  }
}
