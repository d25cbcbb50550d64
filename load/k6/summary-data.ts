/** What k6 hands to `handleSummary`, as far as it is used here. Metrics without samples are absent. */
export interface SummaryData {
  readonly metrics: Readonly<Record<string, { readonly values: Readonly<Record<string, number>> }>>;
  readonly state: { readonly testRunDurationMs: number };
  /** What `setup` returned, which k6 gives and does not document: nothing but notes may depend on it. */
  readonly setup_data?: unknown;
}

/** A value of a metric, `requests_failed{kind:timeout}` for a part of one; 0 where there is none. */
export function readValue({ metrics }: SummaryData, metric: string, value = 'count'): number {
  return metrics[metric]?.values[value] ?? 0;
}
