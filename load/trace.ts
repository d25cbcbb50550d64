import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { TracedRequest } from './engine/arrival.ts';
import { LoadProblem } from './problem.ts';

/** The requests of a trace, in the order of their times. @param beside file of the profile that names it @throws LoadProblem */
export async function readTrace(file: string, beside: string): Promise<readonly TracedRequest[]> {
  const path = resolve(dirname(beside), file);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new LoadProblem('usage', `the trace ${path} cannot be read: ${(error as Error).message}`);
  });
  const requests = text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [parseLine(line, `line ${index + 1} of the trace ${path}`)]));
  if (requests.length === 0) throw new LoadProblem('usage', `the trace ${path} holds no request`);
  return requests.toSorted((one, other) => one.at - other.at);
}

function parseLine(line: string, where: string): TracedRequest {
  let members: Readonly<Record<string, unknown>> = {};
  try {
    members = Object(JSON.parse(line));
  } catch {
    throw new LoadProblem('usage', `${where} is not JSON`);
  }
  const { at, promptTokens, outputTokens } = members;
  if (typeof at !== 'number' || !(at >= 0)) throw new LoadProblem('usage', `${where} lacks "at", seconds from 0`);
  return {
    at,
    promptTokens: count(promptTokens, 'promptTokens', where),
    outputTokens: count(outputTokens, 'outputTokens', where),
  };
}

function count(value: unknown, name: string, where: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw new LoadProblem('usage', `${where} lacks "${name}", a whole number above 0`);
}
