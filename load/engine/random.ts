/** Gives numbers from 0 up to 1. */
export type Random = () => number;

/** A small generator whose numbers follow from a seed and are the same everywhere (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A generator for one of many things under one seed, so that who draws how much elsewhere changes nothing here. */
export function randomOf(seed: number, index: number): Random {
  return randomFrom(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35));
}

/** From an exponential distribution of mean 1. */
export function exponential(random: Random): number {
  return -Math.log(1 - random());
}

/** A whole number, evenly from a range with both ends, or the number itself. */
export function wholeFrom(range: number | { readonly from: number; readonly to: number }, random: Random): number {
  if (typeof range === 'number') return range;
  return range.from + Math.floor(random() * (range.to - range.from + 1));
}
