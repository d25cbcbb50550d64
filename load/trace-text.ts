import type { TracedRequest } from './engine/arrival.ts';
import { LoadProblem } from './problem.ts';

/** The requests of a trace in JSON Lines, in the order of their times. @param name of it, for messages @throws LoadProblem */
export function parseTrace(text: string, name: string): readonly TracedRequest[] {
  const requests = text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [parseLine(line, `line ${index + 1} of the trace ${name}`)]));
  if (requests.length === 0) throw new LoadProblem('usage', `the trace ${name} holds no request`);
  return requests.sort((one, other) => one.at - other.at);
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
