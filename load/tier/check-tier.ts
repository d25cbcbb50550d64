import type { TierCheck, TierProfile } from '../../specs/wire.ts';
import { lengthOf } from '../length.ts';
import { LoadProblem } from '../problem.ts';
import type { Measured } from '../traffic.ts';
import { checkTokens } from './check-tokens.ts';
import { checkConcurrency } from './concurrency.ts';
import { measuredOfChecks } from './measured-of-checks.ts';
import { checkBurst, checkPaced } from './requests.ts';
import type { TierKey } from './tier-key.ts';
import { undecided } from './verdict.ts';

/**
 * Makes the checks of a tier profile one after the other; an interruption keeps those that were made.
 * @throws LoadProblem where the target answers none of them
 */
export async function checkTier(profile: TierProfile, settings: Omit<TierKey, 'windowSeconds'>): Promise<Measured> {
  const { limits, checks } = profile;
  const key: TierKey = { ...settings, windowSeconds: limits.windowSeconds ?? 60 };
  const { requestsPerMinute, concurrent, tokensPerDay } = limits;
  const make: Record<TierCheck['check'], () => Promise<TierCheck>> = {
    burst: () => checkBurst(key, requestsPerMinute, concurrent),
    paced: () => checkPaced(key, requestsPerMinute, concurrent),
    concurrency: () => checkConcurrency(key, concurrent),
    tokens: () => checkTokens(key, tokensPerDay),
  };
  key.say(`takes ${lengthOf(profile)}, most of it to wait for fresh windows`);
  const begin = performance.now();
  const made: TierCheck[] = [];
  const problems: LoadProblem[] = [];
  for (const check of checks) {
    try {
      key.say(`checking ${check}`);
      made.push(await make[check]());
    } catch (error) {
      if (key.signal.aborted) break;
      if (!(error instanceof LoadProblem)) throw error;
      problems.push(error);
      made.push(undecided(check, error.message));
    }
  }
  if (problems[0] && problems.length === made.length) throw problems[0];
  return measuredOfChecks(made, (performance.now() - begin) / 1000, key.signal.aborted);
}
