import { createRequire } from 'node:module';
import packageJson from '../../package.json' with { type: 'json' };
import type { BackendCall } from '../backends/backend.ts';
import { isObject } from '../change.ts';
import { javaScriptThreads } from './javascript-threads.ts';
import { type ProgramLimits, type ProgramOutcome, programLimits, type RunProgram } from './program-limits.ts';
import { runPython } from './python-process.ts';
import type { ToolResult, ToolRunner } from './tool-runner.ts';

const require = createRequire(import.meta.url);

/** Characters; a program can throw a text of any length. */
const longestError = 1_000;

/** The runner cannot be had; the message says what is missing, and how to get it. */
export class MissingTool extends Error {}

/**
 * Runs calls of `execute_code` with the documented arguments: code and language. Programs run apart from the server and
 * from each other, without network and files.
 * @throws MissingTool where the interpreter of JavaScript is not installed
 */
export function executeCode(limits: ProgramLimits = programLimits): ToolRunner {
  if (!isInstalled('quickjs-wasi')) throw new MissingTool(installWords('quickjs-wasi'));
  const runJavaScript = javaScriptThreads();
  // By the names that models give them.
  const languages = new Map<string, RunProgram>([
    ['javascript', runJavaScript],
    ['js', runJavaScript],
    ['python', runPython],
    ['py', runPython],
    ['python3', runPython],
  ]);
  return {
    names: new Set(['execute_code']),
    async run(call, signal) {
      const since = performance.now();
      const outcome = await runCall(call, languages, limits, signal);
      return resultOf(call, outcome, Math.round(performance.now() - since));
    },
  };
}

function resultOf({ id }: BackendCall, outcome: ProgramOutcome, milliseconds: number): ToolResult {
  const parts =
    'output' in outcome
      ? { output: outcome.output, error: null }
      : { output: null, error: outcome.error.slice(0, longestError) };
  return { tool_call_id: id, ...parts, execution_time_ms: milliseconds };
}

async function runCall(
  call: BackendCall,
  languages: ReadonlyMap<string, RunProgram>,
  limits: ProgramLimits,
  signal: AbortSignal,
): Promise<ProgramOutcome> {
  const { code, language } = argumentsOf(call);
  if (typeof code !== 'string' || typeof language !== 'string') {
    return { error: 'the arguments must be an object with code and language, both strings' };
  }
  const run = languages.get(language.toLowerCase());
  if (run === undefined) {
    return { error: `there is no language ${JSON.stringify(language.slice(0, 40))} here: take javascript or python` };
  }
  return run({ code, limits }, signal);
}

function argumentsOf({ arguments: text }: BackendCall): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

function installWords(name: keyof typeof packageJson.peerDependencies): string {
  return `${name} is not installed: run npm install ${name}@${packageJson.peerDependencies[name]}`;
}
