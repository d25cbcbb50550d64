import type { TierCheck } from '../../specs/wire.ts';
import type { Measured } from '../traffic.ts';

/** What a result says of the checks of a tier, whichever engine made them. */
export function measuredOfChecks(tier: TierCheck[], measuredSeconds: number, isInterrupted: boolean): Measured {
  const sum = (name: 'sent' | 'admitted' | 'other' | 'refused') =>
    tier.reduce((total, check) => total + check[name], 0);
  const verdicts = tier.map(({ verdict }) => verdict);
  const isIncomplete = isInterrupted || verdicts.includes('inconclusive');
  return {
    measuredSeconds,
    ...(isInterrupted && { endedEarly: 'interrupted' as const }),
    requests: {
      sent: sum('sent'),
      succeeded: sum('admitted'),
      failed: sum('other'),
      limited: sum('refused'),
      unfinished: 0,
      warmUp: 0,
    },
    tokens: { prompt: 0, output: 0, countedBy: 'none' },
    metrics: {},
    errors: [],
    clientHealth: { isLimit: false, reasons: [] },
    bounds: [],
    tier,
    notes: ['the counts are exact only while nobody else uses the key'],
    outcome: verdicts.includes('broken') ? 'broken' : isIncomplete ? 'incomplete' : 'passed',
  };
}
