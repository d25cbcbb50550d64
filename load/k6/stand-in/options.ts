export interface ScenarioOptions {
  readonly executor: string;
  readonly exec: string;
  readonly startMs: number;
  readonly gracefulStopMs: number;
  /** How long iterations begin. */
  readonly regularMs: number;
  readonly vus: number;
  readonly iterations: number;
}

export interface ScriptOptions {
  readonly scenarios: Readonly<Record<string, ScenarioOptions>>;
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
  readonly summaryTrendStats: readonly string[];
  readonly systemTags: readonly string[];
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
    systemTags = 'proto subproto status method url name group check error error_code tls_version scenario service expected_response'.split(
      ' ',
    ),
  } = options;
  return {
    scenarios: Object.fromEntries(
      Object.entries(Object(scenarios)).map(([name, scenario]) => [name, readScenario(name, Object(scenario))]),
    ),
    thresholds: Object(thresholds),
    summaryTrendStats: Object(summaryTrendStats),
    systemTags: Object(systemTags),
  };
}

function readScenario(name: string, scenario: Given): ScenarioOptions {
  if (!/^[0-9a-zA-Z_-]+$/.test(name)) throw new Error(`the name of scenario ${name} is not allowed`);
  const executor = String(scenario.executor);
  const own = ofExecutor[executor];
  if (!own) throw new Error(`scenario ${name} has an executor that is not known: ${executor}`);
  refuseOthers(scenario, [...ofEvery, ...own], `scenario ${name}`);
  const whole = (member: string) => {
    const value = scenario[member] ?? 1;
    if (Number.isInteger(value) && Number(value) > 0) return Number(value);
    throw new Error(`${member} of scenario ${name} must be a whole number above 0, and is ${value}`);
  };
  const duration = (member: string) => {
    const ms = milliseconds(scenario[member] ?? '10m');
    if (ms < 1000) throw new Error(`the ${member} of scenario ${name} must be at least 1s`);
    return ms;
  };
  const [vus, iterations] = [whole('vus'), whole('iterations')];
  if (executor === 'shared-iterations' && iterations < vus) {
    throw new Error(`scenario ${name} has ${iterations} iterations for ${vus} VUs`);
  }
  return {
    executor,
    exec: String(scenario.exec ?? 'default'),
    startMs: milliseconds(scenario.startTime ?? '0s'),
    gracefulStopMs: milliseconds(scenario.gracefulStop ?? '30s'),
    regularMs: executor.endsWith('iterations') ? duration('maxDuration') : duration('duration'),
    vus,
    iterations,
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
