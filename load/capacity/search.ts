import type { CapacityProfile } from '../../specs/wire.ts';

type Settings = Pick<CapacityProfile['search'], 'fromRate' | 'toRate' | 'repeats' | 'precision'>;

/** What a search needs of a measurement. */
export interface Trial {
  readonly rate: number;
  readonly within: boolean;
}

export interface Found<Point> {
  /** The highest rate that held in every repeat. */
  readonly held?: number;
  /** The lowest measurement above it that did not. */
  readonly broke?: Point;
  readonly points: readonly Point[];
}

/** Halvings of the first rate, where that does not hold. */
const mostHalvings = 4;

/**
 * Finds the highest rate that holds: doubles until one breaks, halves the gap until it is within the precision, and
 * measures what is left as often as asked; a rate that breaks once has not held.
 */
export async function searchRate<Point extends Trial>(
  { fromRate, toRate, repeats, precision }: Settings,
  measure: (rate: number) => Promise<Point>,
): Promise<Found<Point>> {
  const points: Point[] = [];
  const holds = async (rate: number) => {
    const point = await measure(rate);
    points.push(point);
    return point.within;
  };
  const heldRates: number[] = [];
  let broken: number | undefined;
  for (let rate = fromRate; ; rate = Math.min(2 * rate, toRate)) {
    if (!(await holds(rate))) {
      broken = rate;
      break;
    }
    heldRates.push(rate);
    if (rate >= toRate) break;
  }
  for (let halving = 1; heldRates.length === 0 && halving <= mostHalvings; halving += 1) {
    const rate: number = fromRate / 2 ** halving;
    if (await holds(rate)) heldRates.push(rate);
    else broken = rate;
  }
  for (;;) {
    const held = heldRates.at(-1);
    if (held === undefined) break;
    if (broken !== undefined && broken > held * (1 + precision)) {
      const rate: number = Math.sqrt(held * broken);
      if (await holds(rate)) heldRates.push(rate);
      else broken = rate;
      continue;
    }
    const times = points.filter(({ rate, within }) => rate === held && within).length;
    if (times >= repeats) return result(held);
    if (!(await holds(held))) {
      broken = held;
      heldRates.pop();
    }
  }
  return result(undefined);

  function result(held: number | undefined): Found<Point> {
    const broke = points.filter((point) => !point.within && point.rate === broken).at(-1);
    return { points, ...(held !== undefined && { held }), ...(broke && { broke }) };
  }
}

/**
 * How many measurements a search still takes at most, unless a rate that held once breaks when it is repeated.
 * @param points those that were made, in their order
 */
export function mostStepsLeft({ fromRate, toRate, repeats, precision }: Settings, points: readonly Trial[]): number {
  const rates = (within: boolean) => points.filter((point) => point.within === within).map(({ rate }) => rate);
  const [held, broken] = [Math.max(0, ...rates(true)), Math.min(Number.POSITIVE_INFINITY, ...rates(false))];
  const halvings = (ratio: number) => Math.max(0, Math.ceil(Math.log2(Math.log(ratio) / Math.log(1 + precision))));
  const again = repeats - points.filter(({ rate, within }) => within && rate === held).length;
  if (held > 0 && broken < Number.POSITIVE_INFINITY) return halvings(broken / held) + Math.max(again, repeats - 1);
  if (held === 0 && points.length > 0) return mostHalvings - points.length + 1 + halvings(2) + repeats - 1;
  if (held >= toRate) return Math.max(0, again);
  const first = Math.max(held * 2, fromRate);
  const doublings = 1 + Math.ceil(Math.log2(Math.max(1, toRate / first)));
  return doublings + halvings(2) + repeats - 1;
}
