import type { BoundVerdict, Capacity, CapacityPoint, LoadResult } from '../../specs/wire.ts';
import { doubtWords } from '../doubt.ts';

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
  return inUnit(short(value), unit);
}

function inUnit(number: string, unit: string): string {
  if (unit === '1') return number;
  return unit === '1/s' ? `${number}/s` : `${number} ${unit}`;
}

export function boundWords({ name, unit, atMost, atLeast, actual, kept, inDoubt }: BoundVerdict): string {
  const bounds = [
    ...(atMost === undefined ? [] : [`at most ${inUnit(String(atMost), unit)}`]),
    ...(atLeast === undefined ? [] : [`at least ${inUnit(String(atLeast), unit)}`]),
  ];
  const measured = actual === undefined ? 'nothing was measured' : withUnit(actual, unit);
  const verdict = inDoubt ? 'IN DOUBT' : kept ? 'kept' : 'CROSSED';
  return `${verdict.padEnd(8)}  ${name} ${bounds.join(' and ')}: ${measured}`;
}

/** What made a result: its program, in how many processes, and by which seed. */
export function originWords({ tool, engine, workers, seed }: LoadResult): string {
  const by = engine === 'k6' ? `${tool} with k6` : `${tool}, ${workers} process${workers === 1 ? '' : 'es'}`;
  return `by ${by}${seed === undefined ? '' : `, seed ${seed}`}`;
}

/** What became of one rate of a search. */
export function pointWords({ within, broken, undecided = [] }: CapacityPoint): string {
  if (within) return 'within the SLOs';
  return broken.length > 0 ? `not: ${broken.join(', ')}` : `undecided: ${undecided.join('; ')}`;
}

const clientWords = ", though the client was the limit: its figures, other than the bounds, are not the target's";

/** The last line of every report. */
export function outcomeLine(result: LoadResult): string {
  const { outcome, profile, bounds, tier, endedEarly, clientHealth, capacity } = result;
  const early = endedEarly === undefined ? '' : `, ended early (${endedEarly})`;
  const doubt = doubtWords(bounds, clientHealth);
  switch (outcome) {
    case 'passed':
      return `passed: ${profile.name}${capacity ? `, ${capacityWords(capacity)}` : ''}${clientHealth.isLimit ? clientWords : ''}`;
    case 'crossed':
      return `crossed: ${bounds.filter(({ kept, inDoubt }) => !kept && !inDoubt).length} of ${bounds.length} bounds of ${profile.name}${early}`;
    case 'broken':
      return `broken: ${(tier ?? []).filter(({ verdict }) => verdict === 'broken').length} limits of ${profile.name} do not hold`;
    case 'incomplete':
      if (capacity?.withheld !== undefined) return `incomplete: ${profile.name}, ${capacity.withheld}`;
      return `incomplete: ${profile.name}${early}${doubt === undefined ? '' : `, since ${doubt}`}`;
  }
}

/** What a search found. */
function capacityWords({
  rate = 0,
  rateInterval: [, broke] = [],
  outputTokenRate = 0,
  outputTokenRateInterval: interval,
}: Capacity): string {
  const beyond = broke === undefined ? '' : `, and not ${short(broke)}`;
  const between = interval === undefined ? '' : ` (${interval.map(short).join(' to ')} with 95% confidence)`;
  return `${short(rate)} req/s are carried within the SLOs${beyond}; ${short(outputTokenRate)} tokens/s${between}`;
}
