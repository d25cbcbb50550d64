export interface ScenarioOptions {
  readonly executor: string;
  readonly exec: string;
  readonly startMs: number;
  readonly gracefulStopMs: number;
  readonly durationMs: number;
  readonly maxDurationMs: number;
  readonly vus: number;
  readonly iterations: number;
  /** Iterations a millisecond at the begin. */
  readonly rate: number;
  readonly preAllocatedVUs: number;
  readonly maxVUs: number;
  readonly stages: readonly { readonly rate: number; readonly ms: number }[];
}

export interface ScriptOptions {
  readonly scenarios: Readonly<Record<string, ScenarioOptions>>;
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
  readonly summaryTrendStats: readonly string[];
}

const ofScript = [
  'scenarios',
  'thresholds',
  'summaryTrendStats',
  'setupTimeout',
  'noConnectionReuse',
  'userAgent',
  'systemTags',
];

const ofEvery = ['executor', 'exec', 'startTime', 'gracefulStop'];

const ofExecutor: Readonly<Record<string, readonly string[]>> = {
  'constant-vus': ['vus', 'duration'],
  'shared-iterations': ['vus', 'iterations', 'maxDuration'],
  'per-vu-iterations': ['vus', 'iterations', 'maxDuration'],
  'constant-arrival-rate': ['rate', 'timeUnit', 'duration', 'preAllocatedVUs', 'maxVUs'],
  'ramping-arrival-rate': ['startRate', 'timeUnit', 'stages', 'preAllocatedVUs', 'maxVUs'],
};

type Given = Readonly<Record<string, unknown>>;

/** Reads the options of a script. @throws on what k6 would refuse, and on what is not modelled here */
export function readOptions(json: string): ScriptOptions {
  const options: Given = JSON.parse(json);
  refuseOthers(options, ofScript, 'options');
  const {
    scenarios = {},
    thresholds = {},
    summaryTrendStats = ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)'],
  } = options;
  return {
    scenarios: Object.fromEntries(
      Object.entries(Object(scenarios)).map(([name, scenario]) => [name, readScenario(name, Object(scenario))]),
    ),
    thresholds: Object(thresholds),
    summaryTrendStats: Object(summaryTrendStats),
  };
}

function readScenario(name: string, scenario: Given): ScenarioOptions {
  if (!/^[0-9a-zA-Z_-]+$/.test(name)) throw new Error(`the name of scenario ${name} is not allowed`);
  const executor = String(scenario.executor);
  const own = ofExecutor[executor];
  if (!own) throw new Error(`scenario ${name} has an executor that is not known: ${executor}`);
  refuseOthers(scenario, [...ofEvery, ...own], `scenario ${name}`);
  const whole = (member: string, value = scenario[member] ?? 0) => {
    if (Number.isInteger(value)) return Number(value);
    throw new Error(`${member} of scenario ${name} must be a whole number, and is ${value}`);
  };
  const duration = milliseconds(scenario.duration ?? '10m');
  if (duration < 1000) throw new Error(`the duration of scenario ${name} must be at least 1s`);
  const unit = milliseconds(scenario.timeUnit ?? '1s');
  const stages: readonly Given[] = Object(scenario.stages ?? []);
  if (executor === 'constant-arrival-rate' && whole('rate') <= 0)
    throw new Error(`the rate of ${name} must be above 0`);
  return {
    executor,
    exec: String(scenario.exec ?? 'default'),
    startMs: milliseconds(scenario.startTime ?? '0s'),
    gracefulStopMs: milliseconds(scenario.gracefulStop ?? '30s'),
    durationMs: stages.length > 0 ? stages.reduce((sum, stage) => sum + milliseconds(stage.duration), 0) : duration,
    maxDurationMs: milliseconds(scenario.maxDuration ?? '10m'),
    vus: whole('vus'),
    iterations: whole('iterations'),
    rate: whole(executor === 'ramping-arrival-rate' ? 'startRate' : 'rate') / unit,
    preAllocatedVUs: whole('preAllocatedVUs'),
    maxVUs: Math.max(whole('preAllocatedVUs'), whole('maxVUs')),
    stages: stages.map((stage) => ({
      rate: whole('target', stage.target ?? 0) / unit,
      ms: milliseconds(stage.duration),
    })),
  };
}

function refuseOthers(given: Given, known: readonly string[], where: string): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) throw new Error(`${where}: unknown field ${name}`);
  }
}

function milliseconds(duration: unknown): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(String(duration)) ?? [];
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit];
  if (amount === undefined || factor === undefined) throw new Error(`invalid duration ${duration}`);
  return Number(amount) * factor;
}
