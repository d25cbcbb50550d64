import { setTimeout } from 'node:timers/promises';
import type { Crew, User } from './crew.ts';
import type { ScenarioOptions } from './options.ts';

/** The users hold the process, and no time that is left when they are gone. */
const sleep = (ms: number, signal?: AbortSignal) =>
  setTimeout(ms, undefined, { ref: false, ...(signal && { signal }) });

interface ScenarioHost {
  readonly crew: Crew;
  /** What `setup` returned, as JSON. */
  readonly data: string | undefined;
  onDropped(count: number): void;
  onIteration(): void;
  onLine(text: string): void;
}

/** Hires the users of a scenario. @returns what runs it to its end: its regular time, and what it is graciously given */
export async function readyScenario(
  name: string,
  options: ScenarioOptions,
  host: ScenarioHost,
): Promise<() => Promise<void>> {
  const users = Array.from({ length: options.vus }, () => host.crew.hire());
  await Promise.all(users.map((user) => user.loaded));
  return async () => {
    await sleep(options.startMs);
    await new RunningScenario(name, options, host, users).run();
  };
}

class RunningScenario {
  readonly #name: string;
  readonly #options: ScenarioOptions;
  readonly #host: ScenarioHost;
  readonly #users: readonly User[];
  readonly #startTime = Date.now();
  readonly #begin = performance.now();
  readonly #underWay = new Set<User>();
  #iterations = 0;

  constructor(name: string, options: ScenarioOptions, host: ScenarioHost, users: readonly User[]) {
    this.#name = name;
    this.#options = options;
    this.#host = host;
    this.#users = users;
  }

  async run(): Promise<void> {
    const { regularMs, gracefulStopMs } = this.#options;
    const stopping = new AbortController();
    const over = sleep(regularMs + gracefulStopMs, stopping.signal).then(
      () => true,
      () => false,
    );
    const isOver = await Promise.race([over, this.#execute().then(() => false)]);
    stopping.abort();
    // What is still under way is interrupted.
    if (isOver) await Promise.all([...this.#underWay].map((user) => user.end()));
    const dropped = this.#wanted() - this.#iterations;
    if (dropped > 0) this.#host.onDropped(dropped);
  }

  /** Iterations that the scenario is to make; none where it has a time to fill. */
  #wanted(): number {
    const { executor, vus, iterations } = this.#options;
    return executor === 'constant-vus' ? 0 : executor === 'shared-iterations' ? iterations : vus * iterations;
  }

  async #execute(): Promise<void> {
    const { executor, iterations, regularMs } = this.#options;
    const isTime = () => performance.now() - this.#begin < regularMs;
    let left = iterations;
    await Promise.all(
      this.#users.map(async (user) => {
        let own = iterations;
        const mayGoOn = {
          'constant-vus': () => true,
          'shared-iterations': () => left-- > 0,
          'per-vu-iterations': () => own-- > 0,
        }[executor];
        while (isTime() && mayGoOn?.()) await this.#iterate(user);
      }),
    );
  }

  async #iterate(user: User): Promise<void> {
    const iterationInTest = this.#iterations;
    this.#iterations += 1;
    const { exec, executor } = this.#options;
    const scenario = { name: this.#name, executor, startTime: this.#startTime, iterationInTest };
    this.#underWay.add(user);
    try {
      await user.carryOut({ type: 'iterate', exec, data: this.#host.data, scenario });
    } catch (error) {
      // An iteration that throws is over, and the next one begins.
      this.#host.onLine(String(error));
    }
    this.#underWay.delete(user);
    this.#host.onIteration();
  }
}
