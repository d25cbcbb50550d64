/** What a script is told through the environment of k6. The key is in no other place, and nothing prints it. */
interface Settings {
  /** Base URL with its `/v1`. */
  readonly url: string | undefined;
  readonly key: string | undefined;
  /** Default: the first model that the target lists. */
  readonly model: string | undefined;
  /** A ready profile's name, a file beside the script (`./profile.json`), or a whole profile as JSON. */
  readonly profile: string | undefined;
  /** The file of a trace, other than the profile says. */
  readonly trace: string | undefined;
  /** Users of k6 for requests that wait for no answer; default: by their rate. */
  readonly users: number | undefined;
  /** Further headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where the result goes: a file, or `stdout`. */
  readonly result: string;
  /** How the run was started, for the report. */
  readonly command: string;
  readonly seed: number | undefined;
  /** Name of the module for event streams, where this k6 has it: `k6/x/sse`. */
  readonly sseModule: string | undefined;
  /** Another key of the tier, which shows a limit on tokens from below. */
  readonly secondKey: string | undefined;
  /** Whether the keys have used no tokens today. */
  readonly isKeyFresh: boolean;
}

function given(name: string): string | undefined {
  return __ENV[name] || undefined;
}

/** @throws where it is no whole number */
function number(name: string, least = 0): number | undefined {
  const text = given(name);
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text) || Number(text) < least) {
    throw new Error(`${name} is ${text}, and takes a whole number from ${least}`);
  }
  return Number(text);
}

export const settings: Settings = {
  url: given('STACK29_URL')?.replace(/\/+$/, ''),
  key: given('STACK29_API_KEY'),
  model: given('STACK29_MODEL'),
  profile: given('STACK29_PROFILE'),
  trace: given('STACK29_TRACE'),
  users: number('STACK29_USERS', 1),
  headers: JSON.parse(given('STACK29_HEADERS') ?? '{}'),
  result: given('STACK29_RESULT') ?? 'stack29-load.json',
  command: given('STACK29_COMMAND') ?? 'k6 run',
  seed: number('STACK29_SEED'),
  sseModule: given('STACK29_SSE'),
  secondKey: given('STACK29_SECOND_KEY'),
  isKeyFresh: given('STACK29_FRESH_KEY') === '1',
};

/** @throws where no target is given */
export function targetUrl(): string {
  if (settings.url === undefined) throw new Error('no target is given: k6 run -e STACK29_URL=https://host/v1 …');
  return settings.url;
}

/** @param key other than the run's */
export function requestHeaders(key = settings.key): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    ...(key !== undefined && { Authorization: `Bearer ${key}` }),
    ...settings.headers,
  };
}
