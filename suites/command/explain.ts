import { closest } from 'fastest-levenshtein';
import { requirementIds } from '../../specs/requirements/index.ts';
import { explainDocument, explainRequirement } from '../explain.ts';
import { probes } from '../probes/index.ts';
import { matches } from '../select.ts';
import { UsageError } from '../usage-error.ts';

/** The `explain` command: the whole document, or the requirements that a pattern matches. @throws UsageError */
export function explain(pattern: string | undefined): string {
  if (pattern === undefined) return explainDocument();
  const ids = requirementIds.filter((id) => matches(id, pattern));
  if (ids.length === 0) {
    throw new UsageError(
      `no requirement matches "${pattern}"; the nearest is ${closest(pattern, [...requirementIds])}`,
    );
  }
  const judgedBy = (id: (typeof ids)[number]) =>
    probes.filter((probe) => probe.ids.includes(id)).map(({ name }) => name);
  return ids.map((id) => explainRequirement(id, judgedBy(id))).join('\n');
}
