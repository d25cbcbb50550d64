import { metricOf, metrics, readStatistic, statisticNames } from '../../specs/metrics.ts';
import type { LoadResult } from '../../specs/wire.ts';

/** A line for each statistic that was measured: its name, unit and value. */
export function renderCsv({ metrics: measured }: LoadResult): string {
  const lines = statisticNames.flatMap((name) => {
    const value = readStatistic(measured, name);
    const metric = metricOf(name);
    return value === undefined || metric === undefined ? [] : [`${name},${metrics[metric].unit},${value}`];
  });
  return `${['statistic,unit,value', ...lines].join('\n')}\n`;
}
