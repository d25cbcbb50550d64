#!/usr/bin/env node
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Crew } from './crew.ts';
import { readyScenario } from './executors.ts';
import { Metrics } from './metrics.ts';
import { readOptions } from './options.ts';
import type { Sample } from './protocol.ts';

/** What k6 tags by itself, unless the script chooses. */
const ownTags =
  'proto subproto status method url name group check error error_code tls_version scenario service expected_response vu ' +
  'iter ip';

/**
 * A stand-in for k6 where k6 itself is not: `run [-e NAME=VALUE] [--out json=FILE] SCRIPT`. It runs a script in an
 * engine that has the globals and modules of k6 alone, each user in a thread of its own, over real connections. What it
 * models is what the scripts of this package use; it refuses the rest.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    env: { type: 'string', short: 'e', multiple: true, default: [] },
    out: { type: 'string' },
    quiet: { type: 'boolean', short: 'q' },
  },
});
const [command, script] = positionals;
if (command !== 'run' || script === undefined) {
  process.stderr.write('k6-stand-in run SCRIPT\n');
  process.exitCode = 255;
} else {
  process.exitCode = await runScript(script);
}

/**
 * @returns k6's exit codes: 99 for crossed thresholds, 104 for bad options, 105 for an interruption, 107 for a script
 * that throws
 */
async function runScript(path: string): Promise<number> {
  const samplesFile = values.out?.startsWith('json=') ? values.out.slice(5) : undefined;
  const say = (text: string) => process.stderr.write(`${text}\n`);
  /** As k6 writes its log where that is no terminal. */
  const tellError = (error: unknown) => {
    const { message } = Object(error) as { readonly message: unknown };
    say(`time="${new Date().toISOString()}" level=error msg=${JSON.stringify(String(message))}`);
  };
  let metrics: Metrics | undefined;
  let keep = (tags: Sample['tags']): Sample['tags'] => tags;
  const onSample = (taken: Sample) => {
    const sample = { ...taken, tags: keep(taken.tags) };
    metrics?.add(sample);
    if (samplesFile !== undefined) appendFileSync(samplesFile, `${JSON.stringify(sample)}\n`);
  };
  const count = (metric: string, value: number) => onSample({ metric, value, tags: {}, time: Date.now() });
  const env = Object.fromEntries(values.env.map((pair) => /^([^=]+)=(.*)$/s.exec(pair)?.slice(1) ?? [pair, '']));
  const crew = new Crew({
    script: path,
    env: { ...definedOf(process.env), ...env },
    extensions: (process.env.STAND_IN_EXTENSIONS ?? '').split(','),
    onSample,
    onLine: say,
  });
  try {
    const { user: own, loaded } = await crew.hireFirst();
    const options = readOptions(loaded.options);
    metrics = new Metrics(loaded.metrics, options.thresholds);
    const isKept = keptTags(options.systemTags);
    keep = (tags) => Object.fromEntries(Object.entries(tags).filter(([name]) => isKept(name)));
    const has = (name: string) => loaded.functions.includes(name);
    for (const { exec } of Object.values(options.scenarios)) {
      if (!has(exec)) throw new Error(`the script exports no function ${exec}`);
    }
    const begin = performance.now();
    let data: string | undefined;
    let failure: unknown;
    let interrupted = false;
    try {
      if (has('setup')) data = await own.carryOut({ type: 'call', name: 'setup', argument: undefined });
      const host = {
        crew,
        data,
        onDropped: (dropped: number) => count('dropped_iterations', dropped),
        onIteration: () => count('iterations', 1),
        onLine: say,
      };
      const scenarios = await Promise.all(
        Object.entries(options.scenarios).map(([name, scenario]) => readyScenario(name, scenario, host)),
      );
      interrupted = await Promise.race([
        Promise.all(scenarios.map((run) => run())).then(() => false),
        once(process, 'SIGINT').then(() => true),
      ]);
      if (interrupted) await crew.interrupt();
    } catch (error) {
      failure = error;
      tellError(error);
    }
    const ms = performance.now() - begin;
    const summary = metrics.summary(options.summaryTrendStats, ms / 1000);
    if (has('handleSummary')) {
      const argument = JSON.stringify({
        metrics: summary,
        state: { testRunDurationMs: ms, isStdOutTTY: false, isStdErrTTY: false },
        options: { summaryTrendStats: options.summaryTrendStats },
        // k6 gives it, and does not document it.
        ...(data !== undefined && process.env.STAND_IN_SETUP_DATA !== 'none' && { setup_data: JSON.parse(data) }),
      });
      const written = await own.carryOut({ type: 'call', name: 'handleSummary', argument });
      for (const [where, text] of Object.entries(JSON.parse(written ?? '{}'))) {
        if (where === 'stdout') process.stdout.write(String(text));
        else writeFileSync(where, String(text));
      }
    }
    if (failure !== undefined) return 107;
    if (interrupted) return 105;
    const crossed = Object.values(summary).flatMap((metric) => Object.values(metric.thresholds ?? {}));
    return crossed.every(({ ok }) => ok) ? 0 : 99;
  } catch (error) {
    tellError(error);
    return metrics === undefined ? 107 : 104;
  } finally {
    await crew.dismiss();
  }
}

/** Which tags stay: those of the script, and of k6's own the chosen ones. */
function keptTags(chosen: readonly string[]): (name: string) => boolean {
  const own = ownTags.split(' ');
  return (name) => !own.includes(name) || chosen.includes(name);
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
