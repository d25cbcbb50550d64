import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Context, createContext, runInContext, SourceTextModule, SyntheticModule } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import type { MetricType, Order, Report, ScenarioState, UserData } from './protocol.ts';
import { extensionsFor, type ModuleHost, modulesFor } from './user-modules.ts';
import { UserWire } from './user-wire.ts';

/** What the engine of Node has and that of k6 has not. */
const absentInK6 = ['Atomics', 'FinalizationRegistry', 'Intl', 'SharedArrayBuffer', 'WeakRef', 'WebAssembly'];

const { id, script, env, shared, extensions, blocking, asynchronous } = workerData as UserData;
const metrics: Record<string, MetricType> = {};
const arrays: Record<string, readonly string[]> = { ...shared };
let isLoaded = false;
let scenario: ScenarioState | undefined;
let held = 0;
let idle = () => {};

const tell = (report: Report) => parentPort?.postMessage(report);

const host: ModuleHost = {
  wire: new UserWire(blocking, asynchronous),
  extensions,
  arrays,
  isLoaded: () => isLoaded,
  scenario: () => scenario,
  define: (metric, type) => {
    metrics[metric] = type;
  },
  emit: (sample) => tell({ type: 'sample', sample }),
  hold: () => {
    held += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      held -= 1;
      if (held === 0) idle();
    };
  },
};

/** The world of a script: the language, and the globals of k6. */
function world(): Context {
  const found = extensionsFor(host);
  const line = (...values: readonly unknown[]) => tell({ type: 'line', text: values.map(String).join(' ') });
  const context = createContext({
    __ENV: { ...env },
    __VU: id,
    open: (path: string) => {
      if (isLoaded) throw new Error('open() can only be used while a script is loaded');
      return readFileSync(resolve(dirname(script), path), 'utf8');
    },
    console: { log: line, info: line, warn: line, error: line, debug: line },
    require: (name: string) => {
      if (!Object.hasOwn(found, name)) throw new Error(`unknown module: ${name}`);
      return found[name];
    },
  });
  runInContext(absentInK6.map((name) => `delete globalThis.${name};`).join(''), context);
  return context;
}

async function load(): Promise<Readonly<Record<string, unknown>>> {
  const context = world();
  const modules = modulesFor(host);
  const module = new SourceTextModule(readFileSync(script, 'utf8'), { context, identifier: script });
  await module.link((specifier) => {
    const exports = modules[specifier];
    if (!exports) throw new Error(`unknown module: ${specifier}`);
    return new SyntheticModule(
      Object.keys(exports),
      function (this: SyntheticModule) {
        for (const [name, value] of Object.entries(exports)) this.setExport(name, value);
      },
      { context },
    );
  });
  await module.evaluate();
  return Object(module.namespace);
}

async function carryOut(exported: Readonly<Record<string, unknown>>, order: Order): Promise<string | undefined> {
  const name = order.type === 'call' ? order.name : order.exec;
  const work = exported[name];
  if (typeof work !== 'function') throw new Error(`the script exports no function ${name}`);
  if (order.type === 'call') return JSON.stringify(await work(parse(order.argument)));
  scenario = order.scenario;
  await work(parse(order.data));
  // An iteration is over when nothing that it began is under way.
  if (held > 0) {
    await new Promise<void>((resolve) => {
      idle = resolve;
    });
  }
  scenario = undefined;
  return undefined;
}

function parse(json: string | undefined): unknown {
  return json === undefined ? undefined : JSON.parse(json);
}

const wordsOf = (error: unknown) => String(Object(error).stack ?? error);

try {
  const exported = await load();
  isLoaded = true;
  parentPort?.on('message', async (order: Order) => {
    try {
      tell({ type: 'done', result: await carryOut(exported, order) });
    } catch (error) {
      tell({ type: 'failed', error: wordsOf(error) });
    }
  });
  const functions = Object.keys(exported).filter((name) => typeof exported[name] === 'function');
  tell({ type: 'ready', options: JSON.stringify(exported.options ?? {}), functions, metrics, shared: arrays });
} catch (error) {
  tell({ type: 'failed', error: wordsOf(error) });
}
