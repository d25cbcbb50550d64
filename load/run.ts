import { randomInt } from 'node:crypto';
import picocolors from 'picocolors';
import { getProxyForUrl } from 'proxy-from-env';
import type { LoadProfile, LoadResult } from '../specs/wire.ts';
import { measureCapacity } from './capacity/measure-capacity.ts';
import type { Pulse } from './engine/pulse.ts';
import { placeNotes } from './engine/socket-key.ts';
import { loadExitCodes } from './exit-codes.ts';
import { findKeyPlace } from './find-key-place.ts';
import type { LoadHost } from './host.ts';
import { type K6Settings, measureByK6 } from './k6-run/measure-by-k6.ts';
import { lengthOf, secondsOf } from './length.ts';
import { type LiveView, openLiveView } from './live.ts';
import type { LoadChoices } from './options.ts';
import { LoadProblem } from './problem.ts';
import { readProfile } from './profile.ts';
import { readyProfiles } from './ready-profiles.ts';
import { type LoadFormat, renderResult } from './report/render.ts';
import { outcomeLine, short } from './report/words.ts';
import { settle } from './settle.ts';
import { openSubject, type Subject } from './subject.ts';
import { Contact, learnWording } from './target.ts';
import { measureTier } from './tier/measure-tier.ts';
import { type Measured, measureTraffic } from './traffic.ts';
import { openWorkers } from './workers.ts';

/**
 * The `load` command: measures the target that the options name, or a reference server started for it.
 * @returns the exit code
 * @throws LoadProblem, and what the host throws for the user
 */
export async function runLoad(profileName: string, choices: LoadChoices, host: LoadHost): Promise<number> {
  if (choices.list) {
    const profiles = await Promise.all(Object.keys(readyProfiles).map(readProfile));
    const lines = profiles.map((one) => `${one.name.padEnd(19)}${lengthOf(one).padEnd(14)}${one.description}\n`);
    host.stdout.write(lines.join(''));
    return loadExitCodes.passed;
  }
  if (choices.engine !== 'k6' && (choices.k6 ?? choices.k6Image) !== undefined) {
    throw new LoadProblem('usage', '--k6 and --k6-image are of --engine k6');
  }
  const profile = settle(await readProfile(profileName), choices);
  if (choices.out !== undefined) await host.checkOut(choices.out);
  const view = openLiveView(host, choices.quiet);
  view.say(`${host.tool}: load ${profile.name}, ${profile.description}`);
  const subject = await openSubject(profile, choices, host, view.say);
  try {
    const result =
      choices.engine === 'k6'
        ? await measureByK6(k6Settings(profile, profileName, subject, choices, host, view))
        : await measureSubject(profile, profileName, subject, choices, host, view);
    view.end();
    if (result === undefined) {
      host.stderr.write('interrupted: nothing was measured\n');
      return loadExitCodes.interrupted;
    }
    const delivered = await deliver(result, choices, host);
    if (!delivered) return loadExitCodes.usage;
    if (result.endedEarly === 'interrupted') return loadExitCodes.interrupted;
    return result.endedEarly === 'target gone' ? loadExitCodes.unreachable : loadExitCodes[result.outcome];
  } finally {
    view.end();
    await subject.close();
  }
}

function k6Settings(
  profile: LoadProfile,
  path: string,
  { endpoint, description }: Subject,
  { model, seed, k6, k6Image: image, workers, secondKey, freshKey }: LoadChoices,
  { argv, signal }: LoadHost,
  { say }: LiveView,
): K6Settings {
  if (workers > 1) {
    throw new LoadProblem('usage', '--workers is of the embedded engine: k6 uses every core by itself');
  }
  const isFresh = freshKey ?? description !== undefined;
  const keys = { secondKey, isFresh };
  return {
    profile,
    path,
    endpoint,
    description,
    ...keys,
    model,
    seed,
    k6,
    image,
    command: commandLine(argv),
    signal,
    say,
  };
}

/** `undefined` where the user interrupts before there is anything to report. */
async function measureSubject(
  profile: LoadProfile,
  path: string,
  { endpoint, description }: Subject,
  choices: LoadChoices,
  { signal, tool, argv }: LoadHost,
  view: LiveView,
): Promise<LoadResult | undefined> {
  view.say(`measuring ${endpoint.url}${description === undefined ? '' : `, ${description}`}`);
  const proxyNotes = notesOnProxy(endpoint.url);
  for (const note of proxyNotes) view.say(note);
  const contact = new Contact(endpoint, signal);
  // The checks of a tier send their few requests by themselves.
  const workers = openWorkers(profile.kind === 'tier' ? 0 : choices.workers);
  try {
    const learned = await learnWording(contact, profile.workload, choices.model);
    const found = await findKeyPlace(endpoint, learned, signal);
    const wording = { ...learned, ...(found && { keyPlace: found.place }) };
    const seed = choices.seed ?? randomInt(2 ** 31);
    const startedAt = new Date().toISOString();
    const measurer = workers.measurerOf(endpoint, wording);
    const begin = performance.now();
    const onPulse = (pulse: Pulse, secondsLeft?: number) => {
      const left = secondsLeft === undefined ? shareOf(profile, pulse) : `, ${Math.ceil(secondsLeft)} s left at most`;
      view.beat(pulse, `${((performance.now() - begin) / 1000).toFixed(0)} s${left}`);
    };
    const measured: Measured = await measureProfile();
    return {
      format: 'stack29-load/1',
      tool,
      engine: 'embedded',
      command: commandLine(argv),
      target: { url: endpoint.url, model: wording.model, ...(description !== undefined && { description }) },
      profile,
      seed,
      workers: choices.workers,
      startedAt,
      ...measured,
      notes: [...measured.notes, ...placeNotes(found?.place), ...proxyNotes],
    };

    function measureProfile(): Promise<Measured> {
      switch (profile.kind) {
        case 'traffic':
          return measureTraffic(profile, { measurer, seed, path, signal, onPulse });
        case 'tier':
          return measureTier(profile, {
            endpoint,
            contact,
            wording,
            found,
            secondKey: choices.secondKey,
            isFresh: choices.freshKey ?? description !== undefined,
            signal,
            view,
          });
        case 'capacity':
          return measureCapacity(profile, { measurer, seed, path, signal, onPulse, say: view.say });
      }
    }
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    workers.close();
    await contact.close();
  }
}

/** Through a proxy its own limits would be measured with those of the target. */
function notesOnProxy(url: string): string[] {
  if (getProxyForUrl(url) === '') return [];
  return ['the environment names a proxy for the target, which load does not use: it talks to the target directly'];
}

/** What a run is a part of so far: its length, by time or by requests, as far as its profile says. */
function shareOf(profile: LoadProfile, { ended }: Pulse): string {
  if (profile.kind !== 'traffic') return '';
  const seconds = secondsOf(profile);
  if (Number.isFinite(seconds)) return ` of ${short(seconds)} s`;
  return profile.requests === undefined ? '' : `, ${ended} of ${profile.requests} requests`;
}

/** Options of which the value may be a secret. */
const secretOptions = ['--api-key', '--second-key', '--header'];

/** The command as it was typed, without what may be a secret. */
function commandLine(argv: readonly string[]): string {
  const words = argv.map((word, index) => {
    const before = argv[index - 1];
    if (before !== undefined && secretOptions.includes(before)) return '***';
    const [name = ''] = word.split('=', 1);
    const shown = name !== word && secretOptions.includes(name) ? `${name}=***` : word;
    return /^[\w./:=@%+-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
  });
  return ['stack29-conformance', ...words].join(' ');
}

/** @returns false when the file could not be written; the report then goes to standard output all the same */
async function deliver(result: LoadResult, choices: LoadChoices, host: LoadHost): Promise<boolean> {
  const { stdout, stderr, env } = host;
  const { format, out, quiet } = choices;
  const color =
    choices.color && picocolors.isColorSupported && (stdout.isTTY === true || env.FORCE_COLOR !== undefined);
  const show = async (shown: LoadFormat) => {
    const settings = { color, columns: stdout.isTTY === true ? stdout.columns : undefined };
    const text =
      quiet && shown === 'terminal' ? `${outcomeLine(result)}\n` : await renderResult(result, shown, settings);
    stdout.write(text);
  };
  if (out === undefined) {
    await show(format);
    return true;
  }
  const text = await renderResult(result, format, { color: false });
  try {
    await host.writeWhole(out, text);
  } catch (error) {
    stdout.write(text);
    stderr.write(`error: --out ${out} could not be written (${(error as Error).message}); the report is above\n`);
    return false;
  }
  await show('terminal');
  return true;
}
