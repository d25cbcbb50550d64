import { closest } from 'fastest-levenshtein';
import type { Backend } from '../reference-server/backends/backend.ts';
import { scriptedBackend } from '../reference-server/backends/scripted.ts';
import type { Behaviour } from '../reference-server/behaviour.ts';
import { dialects } from '../reference-server/dialects.ts';
import { faults } from '../reference-server/faults/index.ts';
import { keyOfTier } from '../reference-server/keys/key-entries.ts';
import { startServer } from '../reference-server/server.ts';
import { executeCode } from '../reference-server/tools/execute-code.ts';
import type { ToolRunner } from '../reference-server/tools/tool-runner.ts';
import { parseWebhook } from '../reference-server/webhooks/target.ts';
import type { Report, Result } from '../specs/report.ts';
import type { RequirementId } from '../specs/requirements/index.ts';
import { runLive } from './live-run.ts';
import { openWebhookListener } from './webhooks/listener.ts';

/** A server to judge, and the requirements that it must be found to break: these and no others. */
interface Subject {
  readonly kind: 'clean' | 'dialect' | 'fault';
  readonly name: string;
  readonly description: string;
  readonly expected: readonly RequirementId[];
  readonly behaviour: Behaviour;
}

export interface Trial extends Omit<Subject, 'behaviour'> {
  /** Requirements that read fail, warn or note. */
  readonly tripped: readonly RequirementId[];
  /** Requirements that could not be observed beside a breach: its consequence. */
  readonly lost: readonly RequirementId[];
  /** Requirements that read error. */
  readonly faulty: readonly RequirementId[];
  readonly holds: boolean;
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

/**
 * Judges one server a subject with the full profile, and compares what it broke with what it must break.
 * @param name one subject; all of them by default
 * @throws UnknownSubject
 */
export async function selfTest(name?: string, onTrial?: (trial: Trial) => void): Promise<readonly Trial[]> {
  const subjects = name === undefined ? trialSubjects : trialSubjects.filter((subject) => subject.name === name);
  if (name !== undefined && subjects.length === 0) throw new UnknownSubject(name);
  const backend = scriptedBackend();
  // The first program takes as long as its interpreter takes to load, which no trial is to wait for.
  await codeRunner().run({ id: '', name: 'execute_code', arguments: '{"code":"","language":"js"}' }, never);
  const trials: Trial[] = [];
  const waiting = [...subjects];
  const lane = async () => {
    for (let subject = waiting.shift(); subject !== undefined; subject = waiting.shift()) {
      const trial = await trySubject(subject, backend, 1_000);
      trials.push(trial);
      onTrial?.(trial);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return subjects.flatMap((subject) => trials.filter((trial) => trial.name === subject.name));
}

/** Servers at a time: enough to fill the waits of those that let a request time out. */
const lanes = 4;

const key = 'sk-self-test-free-key';
const disabledKey = 'sk-self-test-disabled-key';
/** A delivery that is to come must come in time on a busy machine, too; only faults that keep one back take it all. */
const webhookTimeoutMs = 5_000;
const webhookSecret = `whsec_${Buffer.from('the secret of the self-test').toString('base64')}`;

const never = new AbortController().signal;

let tools: ToolRunner | undefined;

/** One for all servers, since what runs programs takes a while to start. @throws MissingTool */
function codeRunner(): ToolRunner {
  tools ??= executeCode();
  return tools;
}

/** Judges one server that behaves as the subject says. */
export async function trySubject(
  { behaviour, ...subject }: Subject,
  backend: Backend,
  timeoutMs: number,
): Promise<Trial> {
  const keys = [keyOfTier(key, 'free'), keyOfTier(disabledKey, 'free', true)];
  const listener = await openWebhookListener('127.0.0.1', 0);
  const webhook = parseWebhook({ webhook_url: listener.url, secret: webhookSecret }, 'the self-test');
  const server = await startServer({ backend, keys, behaviour, tools: codeRunner(), webhook, firstRetryMs: 20 });
  try {
    const report = await runLive({
      // The model is given, so that a broken list of models is judged instead of ending the run.
      options: {
        url: server.url,
        profile: 'full',
        only: [],
        model: backend.model.id,
        disabledKey: true,
        runsTools: 'javascript',
        webhookUrl: listener.url,
      },
      listener,
      webhookTimeoutMs,
      key,
      disabledKey,
      timeoutMs,
      concurrency: 4,
      startedAt: new Date().toISOString(),
    });
    return compare(subject, report);
  } finally {
    await server.close();
    await listener.close();
  }
}

function compare(subject: Omit<Subject, 'behaviour'>, report: Report): Trial {
  const idsOf = (...verdicts: readonly Result['verdict'][]) =>
    report.results.filter(({ verdict }) => verdicts.includes(verdict)).map(({ id }) => id);
  const tripped = idsOf('fail', 'warn', 'note');
  const lost = idsOf('inconclusive');
  const faulty = idsOf('error');
  const exact = tripped.length === subject.expected.length && tripped.every((id) => subject.expected.includes(id));
  // Beside a breach a requirement may be out of sight; a server that breaks nothing shows everything.
  const inSight = subject.kind === 'fault' || lost.length === 0;
  return { ...subject, tripped, lost, faulty, holds: exact && inSight && faulty.length === 0, report };
}

/** One line a trial: whether it came out as it must, and what it tripped. */
export function trialLine({ kind, name, expected, tripped, lost, faulty, holds }: Trial): string {
  const missed = expected.filter((id) => !tripped.includes(id));
  const surplus = tripped.filter((id) => !expected.includes(id));
  const details = [
    tripped.length > 0 ? `trips ${tripped.join(', ')}` : 'trips nothing',
    ...(missed.length > 0 ? [`MISSES ${missed.join(', ')}`] : []),
    ...(surplus.length > 0 ? [`TOO MUCH ${surplus.join(', ')}`] : []),
    ...(faulty.length > 0 ? [`ERROR ${faulty.join(', ')}`] : []),
    ...(lost.length > 0 ? [`${lost.length} out of sight`] : []),
  ];
  return `${holds ? 'ok  ' : 'BAD '} ${kind.padEnd(7)} ${name}: ${details.join('; ')}`;
}
