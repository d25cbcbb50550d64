import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { TracedRequest } from './engine/arrival.ts';
import { LoadProblem } from './problem.ts';
import { parseTrace } from './trace-text.ts';

interface Trace {
  readonly text: string;
  readonly requests: readonly TracedRequest[];
}

/** A trace that a profile names. @param beside file of the profile @throws LoadProblem */
export async function readTrace(file: string, beside: string): Promise<Trace> {
  const path = resolve(dirname(beside), file);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new LoadProblem('usage', `the trace ${path} cannot be read: ${(error as Error).message}`);
  });
  return { text, requests: parseTrace(text, path) };
}
