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
  conformant: 'conformant to',
  'non-conformant': 'NOT conformant to',
  incomplete: 'incomplete: no verdict on',
  'suite-error': 'a fault of the suite itself: no verdict on',
};

/** The one line that says how a run ended: `conformant to profile standard: 119 passed`. */
export function outcomeLine({ outcome, profile, only, counts }: Report): string {
  const scope = only.length > 0 ? `the selected part of profile ${profile.name}` : `profile ${profile.name}`;
  return `${outcomeWords[outcome]} ${scope}: ${countWords(counts)}`;
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
