import { closest } from 'fastest-levenshtein';
import { type ProfileName, profiles } from '../specs/profiles.ts';
import { type RequirementId, requirementIds } from '../specs/requirements/index.ts';

/** A pattern of `--only` that matches no requirement of the profile. */
export class UnmatchedPattern extends Error {
  readonly pattern: string;
  readonly nearest: string;
  constructor(pattern: string, profile: ProfileName) {
    const known = (requirementIds as readonly string[]).includes(pattern);
    const nearest = closest(pattern, [...profiles[profile].ids]);
    super(
      known
        ? `requirement ${pattern} is not part of the profile ${profile}; choose another with --profile`
        : `no requirement of the profile ${profile} matches "${pattern}"; the nearest is ${nearest}`,
    );
    this.pattern = pattern;
    this.nearest = nearest;
  }
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
