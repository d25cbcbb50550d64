import type { Result } from '../../specs/report.ts';

/** Results by area, the first word of their ids, in the order in which the areas first appear. */
export function byArea(results: readonly Result[]): ReadonlyMap<string, readonly Result[]> {
  const areas = new Map<string, Result[]>();
  for (const result of results) {
    const area = result.id.slice(0, result.id.indexOf('.'));
    const members = areas.get(area);
    if (members) members.push(result);
    else areas.set(area, [result]);
  }
  return areas;
}
