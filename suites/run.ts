import type { EvidenceLine, RunOptions } from '../specs/evidence.ts';
import { profiles } from '../specs/profiles.ts';
import type { Report } from '../specs/report.ts';
import type { RequirementId } from '../specs/requirements/index.ts';
import { baselineCost, meetTarget } from './baseline.ts';
import { openClient, type Recorder } from './client.ts';
import { type ClientRunner, clientVerb } from './clients/client-runner.ts';
import { composeReport } from './compose.ts';
import { judgeRequirement, type Observation } from './judge.ts';
import { declaredLackOf, lackOf } from './lacking.ts';
import type { BoundProbe, Cost, Target } from './probe.ts';
import { probes } from './probes/index.ts';
import type { Reply } from './reply.ts';
import { selectRequirements } from './select.ts';
import type { Wire } from './transport/wire.ts';
import { exchangeRules, wholeRunRules } from './universal/index.ts';
import type { Inbox } from './webhooks/inbox.ts';

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** The probe that was done last. */
  readonly probe: string;
}

export interface RunSettings {
  readonly options: RunOptions;
  /** Live and governed, or a replay of evidence. */
  readonly wire: Wire;
  /** Runs the programs of real clients, or replays their runs. */
  readonly clients: ClientRunner;
  /** Where webhooks come in: live or a replay; absent where the run does not listen. */
  readonly inbox?: Inbox | undefined;
  /** Name and version of the tool. */
  readonly tool: string;
  /** ISO 8601; of the evidence when it is judged again. */
  readonly startedAt: string;
  /** Takes what was seen, as it is seen: an evidence file. */
  readonly record?: (line: EvidenceLine) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** Told of errors that are the suite's own; their requirements read `error`. */
  readonly onFault?: (error: unknown) => void;
}

/** What a run would send at most. */
export interface Plan {
  readonly probes: readonly BoundProbe[];
  readonly cost: Cost;
}

const ignore = () => {};

const firstContact = 'first contact';

/** @throws UnmatchedPattern */
export function plan(options: Pick<RunOptions, 'profile' | 'only' | 'without'>): Plan {
  const chosen = chooseProbes(options, selectRequirements(options.profile, options.only));
  const sum = (of: (cost: Cost) => number) => chosen.reduce((total, { cost }) => total + of(cost), of(baselineCost));
  const cost = {
    requests: sum(({ requests }) => requests),
    tokens: sum(({ tokens }) => tokens),
    seconds: sum(({ seconds = 0 }) => seconds),
  };
  return { probes: chosen, cost };
}

/**
 * Sends the probes of a selection and judges every requirement of it by what they saw.
 * @throws TargetProblem where the target cannot be judged at all
 * @throws UnmatchedPattern
 */
export async function run(settings: RunSettings): Promise<Report> {
  const { options, wire, onProgress = ignore, onFault = ignore } = settings;
  const selected = selectRequirements(options.profile, options.only);
  const planned = chooseProbes(options, selected);
  const log = openLog(planned, settings.record ?? ignore);

  const baseline = await meetTarget((model) => openClient(firstContact, model, wire, log), options);
  const chosen = planned.filter(({ ids }) => ids.some((id) => declaredLackOf(id, baseline) === undefined));
  let done = 0;
  const observe = async (probe: BoundProbe): Promise<Observation> => {
    const client = openClient(probe.name, baseline.model, wire, log, settings.inbox);
    const runProgram = clientVerb(settings.clients, probe.name, baseline.model, client, log);
    const target: Target = { options, baseline, ...client, client: runProgram };
    const observation = await probe.observe(target).then(
      (judgements) => ({ judgements }),
      (error: unknown) => ({ ids: probe.ids, error }),
    );
    await client.settled();
    done += 1;
    onProgress({ done, total: chosen.length, probe: probe.name });
    return observation;
  };
  const observations = await Promise.all(chosen.filter(({ exclusive }) => !exclusive).map(observe));
  for (const probe of chosen.filter(({ exclusive }) => exclusive)) observations.push(await observe(probe));

  const replies = log.replies();
  const seen = { observations, replies, context: { options, baseline } };
  const results = selected.map((id) => judgeRequirement(id, seen, onFault));
  return composeReport(settings, baseline.model, replies, results);
}

/**
 * A rule over all exchanges rests on every probe of the profile, but for those that wait for a limit to open again; any
 * other requirement on its own probe.
 */
function chooseProbes(
  options: Pick<RunOptions, 'profile' | 'without'>,
  selected: readonly RequirementId[],
): readonly BoundProbe[] {
  const judged = (ids: readonly RequirementId[]) => ids.filter((id) => lackOf(id, options) === undefined);
  const own = judged(selected);
  const universal = own.some((id) => id in exchangeRules || id in wholeRunRules);
  const wanted = universal ? judged(profiles[options.profile].ids) : own;
  return probes.filter(({ ids, cost }) => ids.some((id) => (cost.seconds === undefined ? wanted : own).includes(id)));
}

/** Keeps what a run sees, and gives it back in the order of probes and steps, whatever order it came in. */
function openLog(chosen: readonly BoundProbe[], record: (line: EvidenceLine) => void) {
  const order = new Map([firstContact, ...chosen.map(({ name }) => name)].map((name, index) => [name, index]));
  const place = ({ exchange }: Reply) => order.get(exchange.probe) ?? 0;
  const seen: Reply[] = [];
  const recorder: Recorder = { line: record, exchange: (reply) => seen.push(reply) };
  return {
    ...recorder,
    replies: () => seen.toSorted((one, other) => place(one) - place(other) || one.exchange.step - other.exchange.step),
  };
}
