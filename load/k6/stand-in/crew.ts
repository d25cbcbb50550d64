import { MessageChannel, Worker } from 'node:worker_threads';
import type { MetricType, Order, Report, Sample, SharedArrays, UserData } from './protocol.ts';

interface CrewHost {
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  readonly extensions: readonly string[];
  onSample(sample: Sample): void;
  onLine(text: string): void;
}

/** What a script says of itself when it is loaded. */
export interface Loaded {
  readonly options: string;
  readonly functions: readonly string[];
  readonly metrics: Readonly<Record<string, MetricType>>;
  readonly shared: SharedArrays;
}

/** One user: a thread of its own, which runs one iteration at a time. */
export class User {
  readonly loaded: Promise<Loaded>;
  readonly #worker: Worker;
  #ended: (report: Report) => void = () => {};

  constructor(worker: Worker, { onSample, onLine }: CrewHost) {
    this.#worker = worker;
    this.loaded = new Promise((resolve, reject) => {
      worker.on('error', reject);
      worker.on('message', (report: Report) => {
        if (report.type === 'sample') onSample(report.sample);
        else if (report.type === 'line') onLine(report.text);
        else if (report.type === 'ready') resolve(report);
        else {
          if (report.type === 'failed') reject(new Error(report.error));
          this.#ended(report);
        }
      });
    });
  }

  /** Carries an order out. @returns its result as JSON @throws what the script throws */
  async carryOut(order: Order): Promise<string | undefined> {
    await this.loaded;
    return new Promise((resolve, reject) => {
      this.#ended = (report) => {
        if (report.type === 'done') resolve(report.result);
        if (report.type === 'failed') reject(new Error(report.error));
      };
      this.#worker.postMessage(order);
    });
  }

  /** Ends the user whatever it does. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** The users of a run, and the thread that does their requests. */
export class Crew {
  readonly #host: CrewHost;
  readonly #wire = new Worker(new URL('./wire.js', import.meta.url));
  readonly #users: User[] = [];
  #shared: SharedArrays = {};

  constructor(host: CrewHost) {
    this.#host = host;
  }

  /** Hires k6's own, which is the first to load the script, and fills the arrays that all users share. */
  async hireFirst(): Promise<{ readonly user: User; readonly loaded: Loaded }> {
    const user = this.hire();
    const loaded = await user.loaded;
    this.#shared = loaded.shared;
    return { user, loaded };
  }

  hire(): User {
    const { script, env, extensions } = this.#host;
    const [blocking, asynchronous] = [new MessageChannel(), new MessageChannel()];
    const ports = { blocking: blocking.port1, asynchronous: asynchronous.port1 };
    this.#wire.postMessage(ports, [ports.blocking, ports.asynchronous]);
    const workerData: UserData = {
      id: this.#users.length,
      script,
      env,
      shared: this.#shared,
      extensions,
      blocking: blocking.port2,
      asynchronous: asynchronous.port2,
    };
    const worker = new Worker(new URL('./user.js', import.meta.url), {
      execArgv: ['--experimental-vm-modules', '--no-warnings'],
      workerData,
      transferList: [workerData.blocking, workerData.asynchronous],
    });
    const user = new User(worker, this.#host);
    this.#users.push(user);
    return user;
  }

  /** Ends every user but k6's own. */
  async interrupt(): Promise<void> {
    await Promise.all(this.#users.slice(1).map((user) => user.end()));
  }

  async dismiss(): Promise<void> {
    await Promise.all(this.#users.map((user) => user.end()));
    await this.#wire.terminate();
  }
}
