/**
 * What the resets of the requests that a burst had admitted tell of the windows: they stay in a window; they move in one
 * leap where a next window has begun, and bit by bit where requests come back one by one.
 * @param resets epoch milliseconds
 */
export function shapeOf(resets: readonly number[], windowSeconds: number): 'window' | 'two windows' | 'bucket' {
  const sorted = [...resets].sort((one, other) => one - other);
  const half = windowSeconds * 500;
  if ((sorted.at(-1) ?? 0) - (sorted[0] ?? 0) < half) return 'window';
  return sorted.some((reset, index) => reset - (sorted[index - 1] ?? reset) >= half) ? 'two windows' : 'bucket';
}
