import type { Command } from 'commander';
import { type Metric, metrics, percentiles, sloMetrics } from '../specs/metrics.ts';

/** What bounds can be on, for the end of the help. @param columns of the terminal */
export function metricHelp(command: Command, columns = 80): string {
  const helper = command.createHelp();
  helper.helpWidth = columns;
  const width = Math.max(...Object.keys(metrics).map((name) => name.length));
  const listed = (form: Metric['form']) =>
    Object.entries(metrics)
      .filter(([, metric]) => metric.form === form)
      .map(([name, { formula }]) => helper.formatItem(name, width, formula, helper));
  const suffixes = ['_mean', '_min', '_max', ...percentiles.map((percentile) => `_p${percentile}`)].join(', ');
  const titles = {
    distribution: `Latencies, in milliseconds. A bound names a statistic of one (ttft_p95): ${suffixes}. An SLO is on ${sloMetrics.join(', ')} alone:`,
    figure: 'Figures. A threshold names one (goodput):',
  };
  const part = (form: Metric['form']) => [helper.boxWrap(titles[form], columns), ...listed(form)].join('\n');
  return `\n${part('distribution')}\n\n${part('figure')}`;
}
