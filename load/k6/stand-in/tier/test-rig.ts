import { expect } from 'vitest';
import type { Behaviour } from '../../../../reference-server/behaviour.ts';
import { problemsOf } from '../../../../specs/validate.ts';
import type { TierCheck, TierProfile } from '../../../../specs/wire.ts';
import { openTarget, unlimited } from '../../../engine/test-rig.ts';
import { envFor, runUnderStandIn } from '../test-rig.ts';

export interface Trial {
  readonly check: TierCheck['check'];
  readonly stated: TierProfile['limits'];
  /** Of the server's key. */
  readonly served: Partial<typeof unlimited>;
  readonly behaviour?: Behaviour;
  readonly tokensPerSecond?: number;
  /** Whether a part goes over sockets. */
  readonly sockets?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Long enough for a burst, and short enough for a test. */
const windowSeconds = 6;

const scripts = {
  burst: 'tier-requests',
  paced: 'tier-requests',
  concurrency: 'tier-concurrency',
  tokens: 'tier-tokens',
} as const;

/** Runs the script of one check against a server of its own. */
export async function tried({
  check,
  stated,
  served,
  behaviour = {},
  tokensPerSecond = 0,
  sockets = false,
  env,
}: Trial) {
  const limits = { ...unlimited, ...served };
  const { endpoint, close } = await openTarget({ behaviour, windowSeconds, tokensPerSecond, limits });
  const profile: TierProfile = {
    kind: 'tier',
    name: 'trial',
    description: '',
    workload: { promptTokens: 8, outputTokens: 1, transports: { json: 1, ...(sockets && { websocket: 1 }) } },
    tier: 'enterprise',
    limits: { ...stated, windowSeconds },
    checks: [check],
  };
  try {
    const { code, result, stdout, stderr } = await runUnderStandIn(scripts[check], {
      ...envFor(endpoint, profile),
      ...env,
    });
    expect(problemsOf('load-result', result)).toEqual([]);
    expect(`${stdout}${stderr}`).not.toContain('sk-');
    return { code, outcome: result?.outcome, made: result?.tier?.[0] };
  } finally {
    await close();
  }
}

/** As before, and once more where the machine was too busy for so short a window, which leaves a limit undecided. */
export async function decided(trial: Trial) {
  for (let attempt = 1; ; attempt += 1) {
    const made = await tried(trial);
    if (made.made?.verdict !== 'inconclusive' || attempt === 3) return made;
  }
}
