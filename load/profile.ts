import { readFile } from 'node:fs/promises';
import { closest } from 'fastest-levenshtein';
import { sloNames, statisticNames } from '../specs/metrics.ts';
import { problemsOf } from '../specs/validate.ts';
import type { LoadProfile, LoadWorkload } from '../specs/wire.ts';
import { LoadProblem } from './problem.ts';
import { hasEnd } from './profile-end.ts';
import { readyProfiles } from './ready-profiles.ts';

/** The profile of a name that comes with the tool, or of a JSON file. @throws LoadProblem */
export async function readProfile(nameOrPath: string): Promise<LoadProfile> {
  if (Object.hasOwn(readyProfiles, nameOrPath)) {
    return validProfile(readyProfiles[nameOrPath], `the profile ${nameOrPath}`);
  }
  if (!/[./\\]/.test(nameOrPath)) {
    const names = Object.keys(readyProfiles);
    throw new LoadProblem(
      'usage',
      `there is no profile ${nameOrPath}; the nearest is ${closest(nameOrPath, names)}, and a file is given with its path: ./${nameOrPath}.json`,
    );
  }
  const text = await readFile(nameOrPath, 'utf8').catch((error: unknown) => {
    throw new LoadProblem('usage', `the profile ${nameOrPath} cannot be read: ${(error as Error).message}`);
  });
  return validProfile(parse(text, nameOrPath), nameOrPath);
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new LoadProblem('usage', `the profile ${path} is not JSON: ${(error as Error).message}`);
  }
}

/** Checks a profile whole. @param where names it in messages @throws LoadProblem */
export function validProfile(value: unknown, where: string): LoadProfile {
  const problems = problemsOf('load-profile', value).map(({ pointer, expected, actual }) =>
    expected === 'absent'
      ? `${pointer} is no member that is known there`
      : `${pointer || 'it'} must be ${expected}, and is ${actual}`,
  );
  if (problems.length > 0) throw new LoadProblem('usage', `${where}: ${problems.join('; ')}`);
  const profile = value as LoadProfile;
  const further = inconsistencies(profile);
  if (further.length > 0) throw new LoadProblem('usage', `${where}: ${further.join('; ')}`);
  return profile;
}

/** What a schema cannot say. */
function inconsistencies(profile: LoadProfile): string[] {
  const found = workloadProblems(profile.workload);
  const names = (given: object | undefined, known: readonly string[], what: string) => {
    for (const name of Object.keys(given ?? {})) {
      if (!known.includes(name)) found.push(`${what} has no ${name}; the nearest is ${closest(name, [...known])}`);
    }
  };
  if (profile.kind !== 'tier') names(profile.slos, sloNames, '/slos');
  if (profile.kind === 'capacity' && profile.search.fromRate > profile.search.toRate) {
    found.push(`/search/fromRate of ${profile.search.fromRate} is above /search/toRate of ${profile.search.toRate}`);
  }
  if (profile.kind === 'tier' && profile.checks.includes('tokens') && profile.checks.length > 1) {
    found.push('/checks: tokens counts to a token what the key spends, so that it must be the only check of its run');
  }
  if (profile.kind !== 'traffic') return found;
  names(profile.thresholds, statisticNames, '/thresholds');
  if (!hasEnd(profile)) {
    found.push('/durationSeconds or /requests must be there, since arrivals of this kind do not end by themselves');
  }
  return found;
}

function workloadProblems({ promptTokens, outputTokens, transports }: LoadWorkload): string[] {
  const found: string[] = [];
  for (const [name, range] of Object.entries({ promptTokens, outputTokens })) {
    if (typeof range === 'object' && range.from > range.to) {
      found.push(`/workload/${name}: from ${range.from} is above to ${range.to}`);
    }
  }
  if (!Object.values(transports).some((weight) => weight > 0)) {
    found.push('/workload/transports must give one of json, sse and websocket a weight above 0');
  }
  return found;
}
