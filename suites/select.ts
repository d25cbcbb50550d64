import { closest } from 'fastest-levenshtein';
import { type ProfileName, profiles } from '../specs/profiles.ts';
import { type RequirementId, requirementIds, requirements } from '../specs/requirements/index.ts';

/** A pattern of `--only` that matches no requirement of the profile. */
export class UnmatchedPattern extends Error {
  readonly pattern: string;
  readonly nearest: string;
  constructor(pattern: string, profile: ProfileName) {
    const nearest = closest(pattern, [...profiles[profile].ids]);
    super(whyUnmatched(pattern, profile, nearest));
    this.pattern = pattern;
    this.nearest = nearest;
  }
}

function whyUnmatched(pattern: string, profile: ProfileName, nearest: string): string {
  const known = requirementIds.find((id) => id === pattern);
  if (known === undefined)
    return `no requirement of the profile ${profile} matches "${pattern}"; the nearest is ${nearest}`;
  const { unobservable } = requirements[known];
  if (unobservable !== undefined) return `requirement ${pattern} cannot be judged: ${unobservable}`;
  return `requirement ${pattern} is not part of the profile ${profile}; --profile full holds it`;
}

/** Whether an id matches a pattern in which `*` stands for any characters. */
export function matches(id: string, pattern: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`).test(id);
}

/**
 * The requirements of a profile, cut down to ids or globs; an empty `only` keeps all.
 * @throws UnmatchedPattern
 */
export function selectRequirements(profile: ProfileName, only: readonly string[]): readonly RequirementId[] {
  const { ids } = profiles[profile];
  if (only.length === 0) return ids;
  for (const pattern of only) {
    if (!ids.some((id) => matches(id, pattern))) throw new UnmatchedPattern(pattern, profile);
  }
  return ids.filter((id) => only.some((pattern) => matches(id, pattern)));
}
