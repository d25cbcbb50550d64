import type { Outcome, Report, Verdict } from '../../specs/report.ts';

const verdictWords: Readonly<Record<Verdict, string>> = {
  fail: 'failed',
  error: 'not judged (fault of the suite)',
  inconclusive: 'inconclusive',
  warn: 'with a warning',
  note: 'with a note',
  'not-applicable': 'not applicable',
  pass: 'passed',
};

const outcomeWords: Readonly<Record<Outcome, string>> = {
  conformant: 'conformant',
  'non-conformant': 'NOT conformant',
  incomplete: 'incomplete: neither conformant nor not, with regard',
  'suite-error': 'no verdict: a fault of the suite itself, with regard',
};

/** The one line that says how a run ended: `conformant to profile standard: 119 passed`. */
export function outcomeLine({ outcome, profile, only, counts }: Report): string {
  const scope = only.length > 0 ? `the selected part of profile ${profile.name}` : `profile ${profile.name}`;
  return `${outcomeWords[outcome]} to ${scope}: ${countWords(counts)}`;
}

/** The verdicts that occur, worst first: `1 failed, 118 passed`. */
export function countWords(counts: Readonly<Record<Verdict, number>>): string {
  const verdicts = Object.keys(verdictWords) as Verdict[];
  return verdicts
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${counts[verdict]} ${verdictWords[verdict]}`)
    .join(', ');
}

export function countVerdicts(results: readonly { readonly verdict: Verdict }[]): Record<Verdict, number> {
  const counts = { pass: 0, fail: 0, warn: 0, note: 0, 'not-applicable': 0, inconclusive: 0, error: 0 };
  for (const { verdict } of results) counts[verdict] += 1;
  return counts;
}
