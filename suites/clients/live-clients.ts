import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ClientFacts, ClientName, ClientRun } from '../../specs/evidence.ts';
import { isObject, member } from '../member.ts';
import { reasonOf } from '../reason.ts';
import { printable } from '../report/printable.ts';
import type { ClientRunner } from './client-runner.ts';
import { openForwarder } from './forwarder.ts';

interface LiveClients {
  /** The interpreter that has the packages openai and langchain-openai. */
  readonly python?: string | undefined;
  /** Milliseconds that the target may take for a phase of a request; 60,000 by default. */
  readonly timeoutMs?: number;
  /** Milliseconds that a program may take, its start included; by default what its cases may take. */
  readonly limitMs?: number;
}

interface Command {
  readonly file: string;
  readonly arguments: readonly string[];
}

/** A program that cannot be run here; the message says what to give. */
class Absent extends Error {}

const { resolve } = createRequire(import.meta.url);

/**
 * Starts the programs of real clients, one after the other. A program talks to a forwarder of the suite with made-up
 * keys: it never holds one of the target.
 */
export function liveClients({ python, timeoutMs = 60_000, limitMs }: LiveClients): ClientRunner {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    run(probe, { client, model, cases }, forward) {
      const run = turn.then(async (): Promise<ClientRun> => {
        const keys = { valid: madeUpKey(), wrong: madeUpKey(), exhausted: madeUpKey() };
        const forwarder = await openForwarder(keys, forward);
        const told = { kind: 'client', probe, client } as const;
        try {
          const environment = {
            STACK29_BASE: forwarder.base,
            STACK29_MODEL: model,
            STACK29_CASES: cases.join(','),
            STACK29_WRONG_KEY: keys.wrong,
            STACK29_EXHAUSTED_KEY: keys.exhausted,
            OPENAI_API_KEY: keys.valid,
          };
          const output = await execute(
            commandOf(client, python),
            environment,
            limitMs ?? limitFor(cases.length, timeoutMs),
          );
          const problem = forwarder.heldBack() ?? output.problem;
          return { ...told, requests: forwarder.requests, facts: output.facts, ...(problem && { problem }) };
        } catch (error) {
          if (!(error instanceof Absent)) throw error;
          return { ...told, requests: [], facts: [], problem: error.message };
        } finally {
          await forwarder.close();
        }
      });
      turn = run.catch(() => {});
      return run;
    },
  };
}

/** A minute to start in, and for each case the time that a request may take; an hour at most. In milliseconds. */
export function limitFor(cases: number, timeoutMs: number): number {
  return Math.min(60_000 + cases * timeoutMs, 3_600_000);
}

function madeUpKey(): string {
  return `sk-stack29-${randomBytes(12).toString('hex')}`;
}

/** @throws Absent */
function commandOf(client: ClientName, python: string | undefined): Command {
  switch (client) {
    case 'openai-js':
      if (!isInstalled('openai')) throw new Absent('needs the package openai: npm install openai@6');
      return { file: process.execPath, arguments: [resolve('#client-openai-js')] };
    case 'curl':
      return { file: process.execPath, arguments: [resolve('#client-curl')] };
    case 'openai-python':
    case 'langchain': {
      if (python === undefined) {
        throw new Absent('needs a Python with openai and langchain-openai: name its interpreter with --python');
      }
      const folder = join(dirname(resolve('stack29-conformance/package.json')), 'suites/clients');
      return { file: python, arguments: [join(folder, `${client}.py`)] };
    }
  }
}

function isInstalled(name: string): boolean {
  try {
    resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Characters that a program may print, and lines of them that are read; it has a few of each to say. */
const mostOutput = 2 ** 20;
const mostLines = 100;

/** Settles in bounded time and memory, whatever the program does. */
function execute(
  { file, arguments: list }: Command,
  environment: Readonly<Record<string, string>>,
  limitMs: number,
): Promise<Pick<ClientRun, 'facts' | 'problem'>> {
  const env = { ...withoutSecrets(process.env), ...environment };
  const child = spawn(file, list, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  let output = '';
  let words = '';
  return new Promise((resolve) => {
    const finish = (ending?: string) => {
      clearTimeout(limit);
      process.off('exit', kill);
      kill();
      // What the program started itself may hold them open.
      child.stdout.destroy();
      child.stderr.destroy();
      const facts = output.split('\n', mostLines).flatMap(factsIn);
      const lastWords = printable(words.trim().split('\n').at(-1) ?? '').slice(0, 300);
      const because = lastWords === '' ? '' : `: ${lastWords}`;
      resolve(ending === undefined ? { facts } : { facts, problem: `the program ${ending}${because}` });
    };
    const limit = setTimeout(finish, limitMs, `did not end within ${limitMs / 1000} seconds`);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length > mostOutput) finish('printed without end');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-1000);
    });
    child.once('error', (error) => finish(`cannot be started (${reasonOf(error)})`));
    child.once('close', (code, signal) => {
      finish(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

/** Client libraries read settings and keys of their own from the environment, which would change what they do. */
function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const strange = /^(OPENAI|STACK29|LANGCHAIN|LANGSMITH|AZURE|NODE_OPTIONS|PYTHON)|KEY|TOKEN|SECRET|PASSWORD|PROXY/i;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !strange.test(name)));
}

function factsIn(line: string): readonly ClientFacts[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return [];
  }
  if (!isObject(value) || typeof value.case !== 'string') return [];
  const { content, ending, calls } = value;
  const { class: name, message, status } = isObject(value.error) ? value.error : {};
  return [
    {
      case: value.case,
      ...(content !== undefined && { content }),
      ...(ending !== undefined && { ending }),
      ...(calls !== undefined && { calls }),
      ...(member(value, 'error') !== undefined && {
        error: { class: String(name), message: String(message), ...(status !== undefined && { status }) },
      }),
    },
  ];
}
