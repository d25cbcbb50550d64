/** How many requests were under way at a moment. */
export interface QueueSample {
  /** Milliseconds. */
  readonly at: number;
  readonly inFlight: number;
}

const batches = 10;

/** Of Student's t with 8 degrees of freedom: 99 in 100 lie below. */
const t99 = 2.896;

/** A queue that grows by less than this share of the arrivals may just be settling. */
const leastGrowth = 0.05;

/** Growth of less than so many deviations is what a queue of independent users swings by. */
const deviations = 3;

/**
 * Whether a queue grows without end: the slope of a least-squares line through the means of ten batches of samples is
 * above zero with 99% confidence, takes up a real share of the arrivals, and comes to more than such a queue swings by
 * while it does not grow. Samples are equally far apart, and begin when the first requests have had time to end.
 * @param rate arrivals a second
 * @returns `undefined` where samples are too few to tell
 */
export function isSaturated(samples: readonly QueueSample[], rate: number): boolean | undefined {
  const size = Math.floor(samples.length / batches);
  if (size === 0) return undefined;
  const points = Array.from({ length: batches }, (_, batch) => {
    const members = samples.slice(batch * size, (batch + 1) * size);
    return { x: mean(members.map(({ at }) => at)) / 1000, y: mean(members.map(({ inFlight }) => inFlight)) };
  });
  const [centreX, centreY] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))];
  const spread = sum(points.map(({ x }) => (x - centreX) ** 2));
  if (spread === 0) return false;
  const slope = sum(points.map(({ x, y }) => (x - centreX) * (y - centreY))) / spread;
  const residuals = sum(points.map(({ x, y }) => (y - centreY - slope * (x - centreX)) ** 2));
  const error = Math.sqrt(residuals / (batches - 2) / spread);
  const growth = slope * ((points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0));
  // The number under way of a queue that does not grow is Poisson, and growth is a difference of two such numbers.
  const swing = deviations * Math.sqrt(2 * centreY);
  return slope > leastGrowth * rate && slope - t99 * error > 0 && growth > swing;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Two-sided 95% quantiles of Student's t by degrees of freedom, from 1. */
const t95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131];

/** The 95% confidence interval of a mean; `undefined` of fewer than two values. */
export function meanInterval(values: readonly number[]): [number, number] | undefined {
  if (values.length < 2) return undefined;
  const centre = mean(values);
  const variance = sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1);
  const half = (t95[values.length - 2] ?? 2.1) * Math.sqrt(variance / values.length);
  return [Math.max(0, centre - half), centre + half];
}
