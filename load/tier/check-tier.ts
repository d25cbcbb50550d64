import type { TierCheck, TierProfile } from '../../specs/wire.ts';
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
export async function checkTier(
  { limits, checks }: TierProfile,
  settings: Omit<TierKey, 'windowSeconds'>,
): Promise<Measured> {
  const key: TierKey = { ...settings, windowSeconds: limits.windowSeconds ?? 60 };
  const { requestsPerMinute, concurrent, tokensPerDay } = limits;
  const make: Record<TierCheck['check'], () => Promise<TierCheck>> = {
    burst: () => checkBurst(key, requestsPerMinute, concurrent),
    paced: () => checkPaced(key, requestsPerMinute, concurrent),
    concurrency: () => checkConcurrency(key, concurrent),
    tokens: () => checkTokens(key, tokensPerDay),
  };
  key.say(
    `takes about ${Math.ceil(secondsOf(checks, key.windowSeconds) / 60)} min, most of it to wait for fresh windows`,
  );
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

/** About how long checks take: the windows that they wait for and fill. Who spends a day's tokens knows how many they are. */
function secondsOf(checks: TierProfile['checks'], windowSeconds: number): number {
  const windows = { burst: 2.2, paced: 2.1, concurrency: 1.2, tokens: 0.5 };
  return checks.reduce((sum, check) => sum + windows[check] * windowSeconds + 5, 0);
}
