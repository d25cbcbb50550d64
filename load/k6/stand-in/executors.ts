import { setTimeout } from 'node:timers/promises';
import type { Crew, User } from './crew.ts';
import type { ScenarioOptions } from './options.ts';

/** k6 holds `preAllocatedVUs` ready; so many threads of Node would take too long to start. */
const mostReady = 8;

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

/** Runs a scenario to its end: its regular time, and what it is graciously given after that. */
export async function runScenario(name: string, options: ScenarioOptions, host: ScenarioHost): Promise<void> {
  const ready = Array.from({ length: Math.min(mostReady, options.preAllocatedVUs) }, () => host.crew.hire());
  await Promise.all(ready.map((user) => user.loaded));
  await sleep(options.startMs);
  const scenario = new RunningScenario(name, options, host, ready);
  await scenario.run();
}

class RunningScenario {
  readonly #name: string;
  readonly #options: ScenarioOptions;
  readonly #host: ScenarioHost;
  /** Users that arrivals find free. */
  readonly #free: User[];
  readonly #startTime = Date.now();
  readonly #begin = performance.now();
  readonly #underWay = new Map<User, Promise<void>>();
  #iterations = 0;

  constructor(name: string, options: ScenarioOptions, host: ScenarioHost, ready: readonly User[]) {
    this.#name = name;
    this.#options = options;
    this.#host = host;
    this.#free = [...ready];
  }

  async run(): Promise<void> {
    const { executor, gracefulStopMs } = this.#options;
    const regularMs = executor.endsWith('iterations') ? this.#options.maxDurationMs : this.#options.durationMs;
    const stopping = new AbortController();
    const over = sleep(regularMs + gracefulStopMs, stopping.signal).then(
      () => true,
      () => false,
    );
    const isOver = await Promise.race([over, this.#execute(regularMs).then(() => false)]);
    stopping.abort();
    // What is still under way is interrupted.
    if (isOver) await Promise.all([...this.#underWay.keys()].map((user) => user.end()));
  }

  async #execute(regularMs: number): Promise<void> {
    const { executor, vus, iterations } = this.#options;
    const isTime = () => performance.now() - this.#begin < regularMs;
    switch (executor) {
      case 'constant-vus':
        return this.#users(vus, isTime);
      case 'shared-iterations': {
        let left = iterations;
        await this.#users(vus, () => isTime() && left-- > 0);
        if (left > 0) this.#host.onDropped(left);
        return;
      }
      case 'per-vu-iterations':
        await Promise.all(
          Array.from({ length: vus }, () => {
            let left = iterations;
            return this.#users(1, () => isTime() && left-- > 0);
          }),
        );
        return;
      default:
        return this.#arrivals(regularMs);
    }
  }

  /** Users who iterate one after the other as long as they may. */
  async #users(count: number, mayGoOn: () => boolean): Promise<void> {
    const users = Array.from({ length: count }, () => this.#host.crew.hire());
    await Promise.all(
      users.map(async (user) => {
        await user.loaded;
        while (mayGoOn()) await this.#iterate(user);
      }),
    );
  }

  /** Iterations that begin when they are due, each by a user that is free; where none is, they are dropped. */
  async #arrivals(regularMs: number): Promise<void> {
    const free = this.#free;
    let hired = free.length;
    for (const due of this.#dueTimes()) {
      if (due >= regularMs) break;
      await sleep(Math.max(0, due - (performance.now() - this.#begin)));
      const user = free.pop() ?? (hired < this.#options.maxVUs ? this.#host.crew.hire() : undefined);
      if (user === undefined) {
        this.#host.onDropped(1);
        continue;
      }
      hired = Math.max(hired, free.length + this.#underWay.size + 1);
      void this.#iterate(user).then(() => free.push(user));
    }
    await Promise.all(this.#underWay.values());
  }

  /** Milliseconds from the begin: an iteration is due whenever the area under the rate has grown by one. */
  *#dueTimes(): Generator<number> {
    const { rate, stages, durationMs } = this.#options;
    const steps = stages.length > 0 ? stages : [{ rate, ms: durationMs }];
    let [begun, from, area, due] = [0, rate, 0, 0];
    for (const step of steps) {
      const slope = (step.rate - from) / step.ms;
      const whole = ((from + step.rate) / 2) * step.ms;
      for (; due < area + whole; due += 1) {
        const rest = due - area;
        const after = slope === 0 ? rest / from : (Math.sqrt(from ** 2 + 2 * slope * rest) - from) / slope;
        yield begun + after;
      }
      begun += step.ms;
      area += whole;
      from = step.rate;
    }
  }

  #iterate(user: User): Promise<void> {
    const iterationInTest = this.#iterations;
    this.#iterations += 1;
    const { exec, executor } = this.#options;
    const scenario = { name: this.#name, executor, startTime: this.#startTime, iterationInTest };
    const iteration = user
      .carryOut({ type: 'iterate', exec, data: this.#host.data, scenario })
      // An iteration that throws is over, and the next one begins.
      .catch((error: unknown) => this.#host.onLine(String(error)))
      .then(() => {
        this.#underWay.delete(user);
        this.#host.onIteration();
      });
    this.#underWay.set(user, iteration);
    return iteration;
  }
}
