import type { BoundVerdict, LoadResult } from '../../specs/wire.ts';

const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Text of a target made safe to show: what could steer a terminal becomes a question mark. */
export function printable(text: string): string {
  return text.replace(unprintable, '?');
}

/** A number in three digits or more, without an exponent. */
export function short(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 4);
}

export function withUnit(value: number, unit: string): string {
  if (unit === '1') return short(value);
  return unit === '1/s' ? `${short(value)}/s` : `${short(value)} ${unit}`;
}

export function boundWords({ name, unit, atMost, atLeast, actual, kept }: BoundVerdict): string {
  const bounds = [
    ...(atMost === undefined ? [] : [`at most ${withUnit(atMost, unit)}`]),
    ...(atLeast === undefined ? [] : [`at least ${withUnit(atLeast, unit)}`]),
  ];
  const measured = actual === undefined ? 'nothing was measured' : withUnit(actual, unit);
  return `${kept ? 'kept   ' : 'CROSSED'}  ${name} ${bounds.join(' and ')}: ${measured}`;
}

/** The last line of every report. */
export function outcomeLine({ outcome, profile, bounds, tier, endedEarly }: LoadResult): string {
  const early = endedEarly === undefined ? '' : `, ended early (${endedEarly})`;
  switch (outcome) {
    case 'passed':
      return `passed: ${profile.name}${early}`;
    case 'crossed':
      return `crossed: ${bounds.filter(({ kept }) => !kept).length} of ${bounds.length} bounds of ${profile.name}${early}`;
    case 'broken':
      return `broken: ${(tier ?? []).filter(({ verdict }) => verdict === 'broken').length} limits of ${profile.name} do not hold`;
    case 'incomplete':
      return `incomplete: ${profile.name}${early}`;
  }
}
