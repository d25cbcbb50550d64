import type { TierCheck } from '../../specs/wire.ts';

export interface Counted {
  readonly sent: number;
  readonly admitted: number;
  readonly refused: number;
  readonly other: number;
}

export function countStatuses(statuses: readonly number[]): Counted {
  const count = (...wanted: readonly number[]) => statuses.filter((status) => wanted.includes(status)).length;
  const [admitted, refused] = [count(200), count(429)];
  return { sent: statuses.length, admitted, refused, other: statuses.length - admitted - refused };
}

/** A check that could not be made. */
export function undecided(check: TierCheck['check'], reason: string, counted?: Counted): TierCheck {
  const none = { sent: 0, admitted: 0, refused: 0, other: 0 };
  return { check, ...(counted ?? none), verdict: 'inconclusive', reasons: [reason] };
}

/**
 * Broken where a reason says so; else inconclusive where an answer was neither an admission nor a refusal, since it
 * might have been either. @param open further reasons for which it is not decided
 */
export function decided(
  check: TierCheck['check'],
  expected: { readonly limit: number; readonly expected: number },
  counted: Counted,
  broken: readonly string[],
  open: readonly string[] = [],
): TierCheck {
  const strange = counted.other > 0 ? [`${counted.other} answers were neither 200 nor 429`, ...open] : open;
  return { check, ...expected, ...counted, ...verdictOf(broken, strange) };
}

/** What becomes of a check. @param open why it is not decided */
export function verdictOf(broken: readonly string[], open: readonly string[]): Pick<TierCheck, 'verdict' | 'reasons'> {
  const verdict = broken.length > 0 ? 'broken' : open.length > 0 ? 'inconclusive' : 'holds';
  return { verdict, reasons: [...broken, ...open] };
}
