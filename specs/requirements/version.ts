import type { RequirementTable } from '../requirement.ts';

const reading =
  'said of all responses, but no example response carries it: so a SHOULD, met by the JSON body or by a header';

export const versionRequirements = {
  'version.api-version.present': {
    level: 'SHOULD',
    profile: 'core',
    statement: 'every response gives the API version, as api_version in its JSON or in a header',
    source: 'overview/api-versioning',
    reading,
  },
  'version.api-version.value': {
    level: 'SHOULD',
    profile: 'core',
    statement: 'the API version, where it is given, is a release of version 1 (1, 1.0 or v1)',
    source: 'overview/api-versioning',
    reading: 'the document writes v1 in the text and 1.0 in the example',
  },
  'version.deprecation-date.present': {
    level: 'SHOULD',
    profile: 'core',
    statement: 'every response that gives the API version in its JSON gives deprecation_date beside it',
    source: 'overview/api-versioning',
    reading: `${reading}; a header has no null, so beside a version in a header it may be absent`,
  },
  'version.deprecation-date.value': {
    level: 'SHOULD',
    profile: 'core',
    statement: 'deprecation_date, where it is given, is null or a date',
    source: 'overview/api-versioning',
    reading: 'only null is shown; the name says that it is a date otherwise',
  },
} as const satisfies RequirementTable;
