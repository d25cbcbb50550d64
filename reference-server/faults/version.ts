import type { Answer, Behaviour } from '../behaviour.ts';
import { changed } from '../change.ts';
import type { Faults } from './fault.ts';

/** Gives the API version as `value` in body and header, or leaves it and the date out where it is `undefined`. */
function apiVersion(value: unknown, when: (answer: Answer) => boolean = () => true): Behaviour {
  return {
    answer(answer) {
      if (!when(answer)) return answer;
      const { 'X-API-Version': _, ...headers } = answer.headers;
      const header = value === undefined ? {} : { 'X-API-Version': String(value) };
      const body = value === undefined ? changed(answer.body, '/deprecation_date', undefined) : answer.body;
      return { ...answer, headers: { ...headers, ...header }, body: changed(body, '/api_version', value) };
    },
  };
}

function deprecationDate(value: unknown, when: (answer: Answer) => boolean = () => true): Behaviour {
  return {
    answer: (answer) => (when(answer) ? { ...answer, body: changed(answer.body, '/deprecation_date', value) } : answer),
  };
}

export const versionFaults = {
  'version-missing': {
    description: 'no response gives the API version',
    trips: ['version.api-version.present'],
    behaviour: apiVersion(undefined),
  },
  'version-missing-on-errors': {
    description: 'errors do not give the API version',
    trips: ['version.api-version.present'],
    behaviour: apiVersion(undefined, ({ kind }) => kind === 'error'),
  },
  'version-missing-on-streams': {
    description: 'streams do not give the API version',
    trips: ['version.api-version.present'],
    behaviour: apiVersion(undefined, ({ kind }) => kind === 'stream'),
  },
  'version-two': {
    description: 'every response gives version 2.0',
    trips: ['version.api-version.value'],
    behaviour: apiVersion('2.0'),
  },
  'version-ten': {
    description: 'the version begins with 1, but it is version 10',
    trips: ['version.api-version.value'],
    behaviour: apiVersion('10.0'),
  },
  'version-number': {
    description: 'api_version is a number',
    trips: ['version.api-version.value'],
    behaviour: apiVersion(1),
  },
  'version-wrong-on-streams': {
    description: 'the header of streams gives version 2',
    trips: ['version.api-version.value'],
    behaviour: apiVersion('2', ({ kind }) => kind === 'stream'),
  },
  'deprecation-date-missing': {
    description: 'no JSON body has a deprecation_date',
    trips: ['version.deprecation-date.present'],
    behaviour: deprecationDate(undefined),
  },
  'deprecation-date-missing-on-errors': {
    description: 'errors have no deprecation_date beside their version',
    trips: ['version.deprecation-date.present'],
    behaviour: deprecationDate(undefined, ({ kind }) => kind === 'error'),
  },
  'deprecation-date-vague': {
    description: 'deprecation_date is "soon"',
    trips: ['version.deprecation-date.value'],
    behaviour: deprecationDate('soon'),
  },
  'deprecation-date-false': {
    description: 'deprecation_date is false in the list of models',
    trips: ['version.deprecation-date.value'],
    behaviour: deprecationDate(false, ({ kind }) => kind === 'models'),
  },
  'deprecation-date-impossible': {
    description: 'deprecation_date is a month and a day that no year has',
    trips: ['version.deprecation-date.value'],
    behaviour: deprecationDate('2027-13-45'),
  },
} as const satisfies Faults;
