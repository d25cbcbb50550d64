import { problemsOf } from '../../specs/validate.ts';
import type { LoadProfile, LoadResult } from '../../specs/wire.ts';
import type { Endpoint } from '../engine/job.ts';
import { LoadProblem } from '../problem.ts';
import { readTrace } from '../trace.ts';
import { runInContainer } from './container.ts';
import { k6Image } from './image.ts';
import { runLocally } from './local.ts';
import { type ScriptName, scriptsOf } from './scripts.ts';
import type { K6Outcome, K6Task } from './task.ts';

export interface K6Settings {
  readonly profile: LoadProfile;
  /** The profile's file, beside which a trace lies. */
  readonly path: string;
  readonly endpoint: Endpoint;
  /** Another key of the tier. */
  readonly secondKey: string | undefined;
  /** Whether the keys are known to have spent no tokens today. */
  readonly isFresh: boolean;
  /** What the target is, where it was started for the run. */
  readonly description: string | undefined;
  readonly model: string | undefined;
  readonly seed: number | undefined;
  /** The command that was typed, without secrets. */
  readonly command: string;
  /** Path of k6; default: the one on PATH, else its image in a container. */
  readonly k6: string | undefined;
  /** The image to run in a container, whether there is a k6 on PATH or not. */
  readonly image: string | undefined;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/**
 * Runs a profile by k6, and reads its result back; the scripts of a tier run one after the other.
 * @returns `undefined` where the user interrupts before there is anything to report
 * @throws LoadProblem where k6 cannot be run, or ends without a result
 */
export async function measureByK6(settings: K6Settings): Promise<LoadResult | undefined> {
  const { profile, path } = settings;
  const trace = await traceOf(profile, path);
  const results: LoadResult[] = [];
  for (const script of scriptsOf(profile)) {
    if (settings.signal.aborted) break;
    settings.say(`running ${script} by k6`);
    const result = await runScript(script, trace, settings);
    if (result !== undefined) results.push(result);
  }
  const [first, ...rest] = results;
  return first && rest.reduce(joined, first);
}

/** The text of the trace that a profile names, which is one. @throws LoadProblem */
export async function traceOf(profile: LoadProfile, path: string): Promise<string | undefined> {
  if (profile.kind !== 'traffic' || profile.arrival.kind !== 'trace') return undefined;
  return (await readTrace(profile.arrival.file, path)).text;
}

async function runScript(
  script: ScriptName,
  trace: string | undefined,
  settings: K6Settings,
): Promise<LoadResult | undefined> {
  const { profile, endpoint, secondKey, isFresh, description, model, seed, command, k6, image, signal, say } = settings;
  const task: K6Task = {
    script,
    trace,
    endpoint,
    signal,
    say,
    env: {
      STACK29_URL: endpoint.url,
      STACK29_PROFILE: JSON.stringify(profile),
      STACK29_COMMAND: command,
      STACK29_HEADERS: JSON.stringify(endpoint.headers),
      ...(endpoint.key !== undefined && { STACK29_API_KEY: endpoint.key }),
      ...(profile.kind === 'tier' && secondKey && { STACK29_SECOND_KEY: secondKey }),
      ...(profile.kind === 'tier' && isFresh && { STACK29_FRESH_KEY: '1' }),
      ...(model !== undefined && { STACK29_MODEL: model }),
      ...(seed !== undefined && { STACK29_SEED: String(seed) }),
    },
  };
  const local = image === undefined ? await runLocally(k6 ?? 'k6', task) : undefined;
  if (local === undefined && signal.aborted) return undefined;
  const ended = local ?? (await runInContainer(image ?? k6Image, task));
  const { code, written } = ended;
  if (signal.aborted && written === '') return undefined;
  if (written === '' || (code !== 0 && code !== 99 && !signal.aborted)) throw problemOf(ended);
  const result: LoadResult = JSON.parse(written);
  const problems = problemsOf('load-result', result);
  if (problems.length > 0) throw new Error(`the result of k6 is not as it should be: ${JSON.stringify(problems)}`);
  const target = { ...result.target, url: endpoint.url, ...(description !== undefined && { description }) };
  // A threshold that k6 found crossed must not be lost, whatever the result says.
  const outcome = code === 99 && result.outcome === 'passed' ? 'crossed' : result.outcome;
  return { ...result, target, outcome, ...(signal.aborted && { endedEarly: 'interrupted', outcome: 'incomplete' }) };
}

function problemOf({ place, code, words }: K6Outcome): LoadProblem {
  const last = words.split('\n').findLast((line) => line.includes('level=error')) ?? '';
  const [, logged = ''] = /msg="((?:[^"\\]|\\.)*)"/.exec(last) ?? [];
  // The first line says what is wrong, and the others where in the script.
  const message = logged.split('\\n')[0]?.replace(/^(Error: )+/, '') || words.trim() || 'it said nothing';
  const kind = /does not answer|cannot be measured/.test(message) ? 'unreachable' : 'usage';
  return new LoadProblem(
    kind,
    `k6${place === undefined ? '' : `, ${place},`} ended with exit code ${code}: ${message}`,
  );
}

const worst: readonly LoadResult['outcome'][] = ['broken', 'crossed', 'incomplete', 'passed'];

/** The results of two scripts of a tier as one. */
function joined(one: LoadResult, other: LoadResult): LoadResult {
  const outcome = worst.find((each) => one.outcome === each || other.outcome === each) ?? 'incomplete';
  const requests = { ...one.requests };
  for (const name of Object.keys(requests) as (keyof typeof requests)[]) requests[name] += other.requests[name];
  return {
    ...one,
    ...((one.endedEarly ?? other.endedEarly) && { endedEarly: one.endedEarly ?? other.endedEarly }),
    measuredSeconds: one.measuredSeconds + other.measuredSeconds,
    requests,
    tier: [...(one.tier ?? []), ...(other.tier ?? [])],
    notes: [...new Set([...one.notes, ...other.notes])],
    outcome,
  };
}
