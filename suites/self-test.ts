import { setTimeout as sleep } from 'node:timers/promises';
import { closest } from 'fastest-levenshtein';
import type { Backend, Generation, GenerationEvent } from '../reference-server/backends/backend.ts';
import { scriptedBackend } from '../reference-server/backends/scripted.ts';
import type { Behaviour } from '../reference-server/behaviour.ts';
import { dialects } from '../reference-server/dialects.ts';
import { faults } from '../reference-server/faults/index.ts';
import { keyOfTier } from '../reference-server/keys/key-entries.ts';
import { startServer } from '../reference-server/server.ts';
import { executeCode, MissingTool } from '../reference-server/tools/execute-code.ts';
import type { ToolRunner } from '../reference-server/tools/tool-runner.ts';
import { parseWebhook } from '../reference-server/webhooks/target.ts';
import type { Report, Result } from '../specs/report.ts';
import type { Capability } from '../specs/requirement.ts';
import { type RequirementId, requirements } from '../specs/requirements/index.ts';
import { replayClients } from './clients/client-runner.ts';
import { type LiveRunSettings, runLive } from './live-run.ts';
import { skippingClock } from './transport/clock.ts';
import { demandsOf, readFaultHeader } from './transport/fault-header.ts';
import { openWebhookListener } from './webhooks/listener.ts';

/** A server to judge, and the requirements that it must be found to break: these and no others. */
export interface Subject {
  readonly kind: 'clean' | 'dialect' | 'fault';
  readonly name: string;
  readonly description: string;
  readonly expected: readonly RequirementId[];
  readonly behaviour: Behaviour;
}

export interface Verdict extends Omit<Subject, 'behaviour'> {
  /** Requirements that read fail, warn or note. */
  readonly tripped: readonly RequirementId[];
  /** Requirements that could not be observed beside a breach: its consequence. */
  readonly lost: readonly RequirementId[];
  /** Requirements that read error. */
  readonly faulty: readonly RequirementId[];
  readonly holds: boolean;
}

export interface Trial extends Verdict {
  readonly report: Report;
}

export const trialSubjects: readonly Subject[] = [
  { kind: 'clean', name: 'clean', description: 'the plain reference server', expected: [], behaviour: {} },
  ...Object.entries(dialects).map(([name, { description, behaviour, notes = [] }]) => ({
    kind: 'dialect' as const,
    name,
    description,
    expected: notes,
    behaviour,
  })),
  ...Object.entries(faults).map(([name, { description, behaviour, trips }]) => ({
    kind: 'fault' as const,
    name,
    description,
    expected: trips,
    behaviour,
  })),
];

/** A name that is neither a fault nor a dialect. */
export class UnknownSubject extends Error {
  constructor(name: string) {
    const nearest = closest(
      name,
      trialSubjects.map((subject) => subject.name),
    );
    super(`there is no fault or dialect "${name}"; the nearest is ${nearest}`);
  }
}

/** A fault that cannot be tried without the clients in Python. */
export class NeedsPython extends Error {}

export { MissingTool };

interface Selection {
  /** One subject; all of them by default. */
  readonly name?: string | undefined;
  /** The interpreter that runs the clients in Python; without it, faults that only clients see are left out. */
  readonly python?: string | undefined;
}

/** Whether only real clients show what a subject breaks. They take seconds, so other faults are tried without them. */
export function needsClients({ expected }: Pick<Subject, 'expected'>): boolean {
  return expected.some(isShownByClients);
}

function isShownByClients(id: RequirementId): boolean {
  return requirements[id].profile === 'clients';
}

/** @throws UnknownSubject and NeedsPython */
export function subjectsOf({ name, python }: Selection): readonly Subject[] {
  const named = name === undefined ? trialSubjects : trialSubjects.filter((subject) => subject.name === name);
  if (named.length === 0) throw new UnknownSubject(name ?? '');
  const subjects = named.filter((subject) => python !== undefined || !needsClients(subject));
  if (subjects.length === 0) throw new NeedsPython(`only real clients see the fault ${name}: give --python`);
  return subjects;
}

/** What tries subjects in this process, one or several at a time. */
export async function openTrials(python: string | undefined): Promise<(subject: Subject) => Promise<Trial>> {
  const backend = trialBackend();
  // The first program takes as long as its interpreter takes to load, which no trial is to wait for.
  await codeRunner().run({ id: '', name: 'execute_code', arguments: '{"code":"","language":"js"}' }, never);
  return async (subject) => {
    const trial = await trySubject(subject, backend, { timeoutMs: 5_000, python });
    return isUndecided(trial) ? trySubject(subject, backend, { timeoutMs: 30_000, python }) : trial;
  };
}

/** Whether a trial failed by nothing but what it could not observe, as on a machine that stood still for a while. */
export function isUndecided({ expected, tripped, lost, faulty, holds }: Verdict): boolean {
  const passed = expected.filter((id) => !tripped.includes(id) && !lost.includes(id));
  const surplus = tripped.filter((id) => !expected.includes(id));
  return !holds && passed.length + surplus.length + faulty.length === 0;
}

/** As fast as can be, but for the streams that are to run at the same time. */
export function trialBackend(): Backend {
  const fast = scriptedBackend({ vision: true });
  const isHeld = ({ maxTokens }: Generation) => maxTokens === 150 || maxTokens === 300;
  return {
    ...fast,
    generate(generation, signal) {
      const events = fast.generate(generation, signal);
      return isHeld(generation) ? hold(events, generation, signal) : events;
    },
  };
}

/**
 * Waits after each piece, not for a moment of the clock: a machine that is busy begins streams later, and so must end
 * them later, though in time for the suite to see their end.
 */
async function* hold(
  events: AsyncIterable<GenerationEvent>,
  { maxTokens }: Generation,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent> {
  const latest = performance.now() + 4 * heldMs * maxTokens;
  let tokens = 0;
  let text = '';
  for await (const event of events) {
    if (event.type === 'text') {
      tokens += 1;
      text += event.text;
      if (tokens % tokensOfPiece > 0) continue;
    }
    if (text !== '') yield { type: 'text', text };
    text = '';
    if (event.type === 'end') yield event;
    else if (performance.now() < latest) await sleep(heldMs * tokensOfPiece, undefined, { signal }).catch(() => {});
  }
}

/** A token; of a stream of 300 that makes one second and a half. */
const heldMs = 5;
/** Held streams show that they run together: a token a piece would be most of the work of a trial, and show no more. */
const tokensOfPiece = 10;

/** Servers at a time in one process: enough to fill the waits of those that let a request time out. */
export const lanes = 6;

const key = 'sk-self-test-free-key';
const disabledKey = 'sk-self-test-disabled-key';
const exhaustedKey = 'sk-self-test-exhausted-key';
const faultHeader = readFaultHeader('X-Stack29-Fault');
/** A delivery that is to come must come in time on a busy machine, too; only faults that keep one back take it all. */
const webhookTimeoutMs = 5_000;
const webhookSecret = `whsec_${Buffer.from('the secret of the self-test').toString('base64')}`;

const never = new AbortController().signal;

let tools: ToolRunner | undefined;

/** One for all servers, since what runs programs takes a while to start. @throws MissingTool */
export function codeRunner(): ToolRunner {
  tools ??= executeCode();
  return tools;
}

interface TrialSettings extends Pick<LiveRunSettings, 'record'> {
  readonly timeoutMs: number;
  readonly python?: string | undefined;
  /** What the target is said to lack. */
  readonly without?: readonly Capability[];
}

/** Judges one server that behaves as the subject says. */
export async function trySubject(
  { behaviour, ...subject }: Subject,
  backend: Backend,
  { timeoutMs, python, without = [], record }: TrialSettings,
): Promise<Trial> {
  const withClients = python !== undefined && (subject.kind === 'clean' || needsClients(subject));
  const keys = [
    keyOfTier(key, 'free'),
    keyOfTier(disabledKey, 'free', true),
    { ...keyOfTier(exhaustedKey, 'free'), tokensUsed: 100_000 },
  ];
  // Both sides go by one clock, on which no wait for a window takes time.
  const clock = skippingClock();
  const tools = codeRunner();
  const listener = await openWebhookListener('127.0.0.1', 0, clock);
  const server = await startServer({
    backend,
    keys,
    behaviour,
    clock: clock.now,
    allowFaults: true,
    tools,
    webhook: parseWebhook({ webhook_url: listener.url, secret: webhookSecret }, 'the self-test'),
    firstRetryMs: 20,
  });
  try {
    const report = await runLive({
      // The model is given, so that a broken list of models is judged instead of ending the run.
      options: {
        url: server.url,
        profile: 'full',
        only: [],
        without,
        model: backend.model.id,
        disabledKey: true,
        runsTools: 'javascript',
        exhaustedKey: true,
        demands: demandsOf(faultHeader),
        tier: 'free',
        webhookUrl: listener.url,
      },
      listener,
      webhookTimeoutMs,
      key,
      disabledKey,
      exhaustedKey,
      faultHeader,
      clock,
      timeoutMs,
      concurrency: 4,
      python,
      ...(record && { record }),
      ...(!withClients && { clients: replayClients([]) }),
      startedAt: new Date().toISOString(),
    });
    return compare(subject, report, withClients);
  } finally {
    await server.close();
    await listener.close();
  }
}

function compare(subject: Omit<Subject, 'behaviour'>, report: Report, withClients: boolean): Trial {
  const results = report.results.filter(({ id }) => withClients || !isShownByClients(id));
  const idsOf = (...verdicts: readonly Result['verdict'][]) =>
    results.filter(({ verdict }) => verdicts.includes(verdict)).map(({ id }) => id);
  const tripped = idsOf('fail', 'warn', 'note');
  const lost = idsOf('inconclusive');
  const faulty = idsOf('error');
  const exact = tripped.length === subject.expected.length && tripped.every((id) => subject.expected.includes(id));
  // Beside a breach a requirement may be out of sight; a server that breaks nothing shows everything.
  const inSight = subject.kind === 'fault' || lost.length === 0;
  return { ...subject, tripped, lost, faulty, holds: exact && inSight && faulty.length === 0, report };
}

/** One line a trial: whether it came out as it must, and what it tripped. */
export function trialLine({ kind, name, expected, tripped, lost, faulty, holds }: Verdict): string {
  const missed = expected.filter((id) => !tripped.includes(id));
  const surplus = tripped.filter((id) => !expected.includes(id));
  // Only beside a breach are they to be expected.
  const outOfSight = kind === 'fault' ? `${lost.length} out of sight` : `OUT OF SIGHT ${lost.join(', ')}`;
  const details = [
    tripped.length > 0 ? `trips ${tripped.join(', ')}` : 'trips nothing',
    ...(missed.length > 0 ? [`MISSES ${missed.join(', ')}`] : []),
    ...(surplus.length > 0 ? [`TOO MUCH ${surplus.join(', ')}`] : []),
    ...(faulty.length > 0 ? [`ERROR ${faulty.join(', ')}`] : []),
    ...(lost.length > 0 ? [outOfSight] : []),
  ];
  return `${holds ? 'ok  ' : 'BAD '} ${kind.padEnd(7)} ${name}: ${details.join('; ')}`;
}
