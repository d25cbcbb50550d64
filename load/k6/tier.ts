import { Counter, Gauge } from 'k6/metrics';
import type { Options } from 'k6/options';
import type { TierCheck, TierProfile } from '../../specs/wire.ts';
import { type FindingName, findingNames, findings, partsOf } from '../tier/findings.ts';
import { measuredOfChecks } from '../tier/measured-of-checks.ts';
import { verdictOf } from '../tier/verdict.ts';
import { type FoundPlace, findKeyPlace } from './key-place.ts';
import { learnModel } from './learn.ts';
import { tierProfile } from './profile.ts';
import { writtenResult } from './result.ts';
import { readValue, type SummaryData } from './summary-data.ts';
import { reported, type Thresholds } from './thresholds.ts';
import { type Answer, kindOf, TierTarget } from './tier-target.ts';

type CheckName = TierCheck['check'];

const requests = new Counter('tier_requests');
const found = new Counter('tier_findings');
const done = new Counter('tier_checks_done');
const limits = new Gauge('tier_limit');
const expectations = new Gauge('tier_expected');

/** What a check tells of what it sees, by metrics: a script of k6 has no other way to its summary. */
export class Report {
  readonly #check: CheckName;

  constructor(check: CheckName) {
    this.#check = check;
  }

  /** Whatever it was asked for, one that is neither an admission nor a refusal leaves the check open. */
  answer({ status }: Pick<Answer, 'status'>): void {
    const kind = kindOf(status);
    requests.add(1, { check: this.#check, answer: kind });
    if (kind === 'other') this.find('other-answers');
  }

  find(finding: FindingName): void {
    found.add(1, { check: this.#check, finding });
  }

  /** @param limit that is tried @param expected requests of the check that it admits */
  expect(limit: number, expected?: number): void {
    limits.add(limit, { check: this.#check });
    if (expected !== undefined) expectations.add(expected, { check: this.#check });
  }
}

interface Circumstances {
  readonly profile: TierProfile;
  readonly target: TierTarget;
  /** Where the key of sockets is taken, if that was found out. */
  readonly found: FoundPlace | undefined;
}

/** Tries a limit; what it sees goes into the report. */
export type Check = (circumstances: Circumstances, report: Report) => Promise<void>;

interface Prepared {
  readonly model: string;
}

interface TierScript {
  readonly options: Options;
  setup(): Prepared;
  /** Runs the checks, one after the other; the one user of the script runs it once. */
  check(prepared: Prepared): Promise<void>;
  handleSummary(data: SummaryData): Record<string, string>;
}

/** A script that tries limits of a tier. One user sends all, so that every count is exact. */
export function tierScript(checks: Partial<Readonly<Record<CheckName, Check>>>, longest: string): TierScript {
  const profile = tierProfile();
  const all = Object.keys(checks) as CheckName[];
  const chosen = all.filter((name) => profile.checks.includes(name));
  const names = chosen.length > 0 ? chosen : all;
  return {
    options: {
      scenarios: {
        tier: {
          executor: 'per-vu-iterations',
          exec: 'check',
          vus: 1,
          iterations: 1,
          maxDuration: longest,
          gracefulStop: '5s',
        },
      },
      thresholds: Object.assign({}, ...names.map(thresholdsOf)),
      setupTimeout: '300s',
      userAgent: 'stack29-conformance (k6)',
    },

    setup: () => ({ model: learnModel() }),

    async check({ model }) {
      const { workload, timeoutSeconds } = profile;
      const wording = { model, workload, askUsage: false, promptCost: { fixed: 0, perWord: 1 } };
      const found = await findKeyPlace(wording);
      const target = new TierTarget(wording, found, timeoutSeconds);
      for (const name of names) {
        await checks[name]?.({ profile, target, found }, new Report(name));
        done.add(1, { check: name });
      }
    },

    handleSummary: (data) => writtenResult(resultOf(profile, names, data)),
  };
}

const answeredPart = (check: CheckName, answer: Answer['kind']) => `tier_requests{check:${check},answer:${answer}}`;
const foundPart = (check: CheckName, finding: FindingName) => `tier_findings{check:${check},finding:${finding}}`;
const donePart = (check: CheckName) => `tier_checks_done{check:${check}}`;
const limitPart = (check: CheckName) => `tier_limit{check:${check}}`;
const expectedPart = (check: CheckName) => `tier_expected{check:${check}}`;

function thresholdsOf(check: CheckName): Thresholds {
  return {
    [donePart(check)]: ['count==1'],
    [answeredPart(check, 'admitted')]: ['count>0'],
    [answeredPart(check, 'refused')]: [reported],
    [answeredPart(check, 'other')]: [reported],
    [limitPart(check)]: ['value>0'],
    [expectedPart(check)]: ['value>=0'],
    ...Object.fromEntries(findingNames.map((finding) => [foundPart(check, finding), ['count==0']])),
  };
}

function tierCheckOf(check: CheckName, data: SummaryData): TierCheck {
  const [admitted = 0, refused = 0, other = 0] = (['admitted', 'refused', 'other'] as const).map((answer) =>
    readValue(data, answeredPart(check, answer)),
  );
  const limit = readValue(data, limitPart(check), 'value');
  const expected = readValue(data, expectedPart(check), 'value');
  const came = findingNames.filter((finding) => readValue(data, foundPart(check, finding)) > 0);
  const { broken, open } = partsOf(came.map((name) => ({ name, words: findings[name] })));
  const isDone = readValue(data, donePart(check)) > 0;
  return {
    check,
    ...(limit > 0 && { limit }),
    sent: admitted + refused + other,
    ...(expected > 0 && { expected }),
    admitted,
    refused,
    other,
    ...verdictOf(broken, isDone ? open : [...open, 'the check did not run to its end']),
  };
}

function resultOf(
  profile: TierProfile,
  names: readonly CheckName[],
  data: SummaryData,
): Parameters<typeof writtenResult>[0] {
  const prepared = data.setup_data as Prepared | undefined;
  const tier = names.map((name) => tierCheckOf(name, data));
  const measured = measuredOfChecks(tier, data.state.testRunDurationMs / 1000, false);
  return {
    model: prepared?.model,
    runMs: data.state.testRunDurationMs,
    profile,
    ...measured,
  };
}
