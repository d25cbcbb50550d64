import type { Outcome } from '../../specs/report.ts';

/** What the command's exit codes mean; documented, so a change is a breaking one. */
export const exitCodes = {
  conformant: 0,
  'non-conformant': 1,
  usage: 2,
  incomplete: 3,
  unreachable: 4,
  'suite-error': 5,
  interrupted: 130,
} as const satisfies Record<Outcome | 'usage' | 'unreachable' | 'interrupted', number>;
