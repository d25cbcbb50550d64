import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { shippedPath } from '../../fixtures/model/shipped.ts';
import type { Generation } from './backend.ts';
import type { GgufOptions } from './gguf-protocol.ts';

export const shippedOptions: GgufOptions = { modelPath: shippedPath, gpu: false };

/** The shipped model answers it for as long as it may. */
export const endless = 'Count from 1 to 2000 in words, one number a line. Do not stop early.';

/** A request without chance, unless it is changed. */
export function request(content: string, changes: Partial<Generation> = {}): Generation {
  const sampling = { temperature: 0, topP: 1, frequencyPenalty: 0, presencePenalty: 0 };
  return { messages: [{ role: 'user', content }], maxTokens: 32, stop: [], ...sampling, ...changes };
}

/** The processes of models that this one has started. */
export async function childPids(): Promise<number[]> {
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(process.pid), '-f', 'gguf-process']);
  return stdout.trim().split('\n').map(Number);
}
