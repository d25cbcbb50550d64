import { capabilitiesOf } from '../specs/capabilities.ts';
import { documentHeadings, type HeadingId } from '../specs/document.ts';
import { type ProfileName, profiles } from '../specs/profiles.ts';
import type { Need } from '../specs/requirement.ts';
import { type RequirementId, requirementIds, requirements } from '../specs/requirements/index.ts';
import { wrap } from './report/wrap.ts';

const needWords: Readonly<Record<Need, string>> = {
  'disabled-key': 'the key of a disabled account (--disabled-key)',
  'spends-limits': 'leave to use up the requests of a whole window (--profile full or limits)',
  'client-programs':
    'curl, the openai package for JavaScript, and a Python with openai and langchain-openai (--python)',
  'more-requests': 'requests that standard has no room for (--profile full or that of its topic)',
  'fault-header': 'a target that fails when a header tells it to (--fault-header)',
  tier: 'the tier of the key (--tier), or how many requests it may run at the same time (--concurrent)',
  'exhausted-key': 'a key whose tokens of the day are used up (--exhausted-key)',
  'webhook-listener': 'a place to deliver to (--webhook-listen), and a target that is configured to deliver there',
  'long-prompt': "a prompt as long as the model's context window (--profile full or core)",
  'server-tools': 'a target that runs execute_code itself, and your word for it (--runs-tools)',
};

const headings = Object.entries(documentHeadings) as [HeadingId, { title: string; excluded?: string }][];

/** The headings of the API document as a tree, each with its requirements or with the reason why it has none. */
export function explainDocument(): string {
  return headings
    .map(([heading, { title, excluded }]) => {
      const depth = heading.split('/').length - 1;
      const rows = requirementIds.filter((id) => requirements[id].source === heading).map(levelAndId);
      const below = excluded === undefined ? rows : wrap(`none: ${excluded}`, 76 - 2 * depth);
      return [title, ...below.map((line) => `  ${line}`)].map((line) => `${'  '.repeat(depth)}${line}\n`).join('');
    })
    .join('\n');
}

/** `MUST    chat.response.id`, in columns. */
export function levelAndId(id: RequirementId): string {
  return `${requirements[id].level.padEnd(6)}  ${id}`;
}

/**
 * All that is known of one requirement.
 * @param judgedBy names of the probes whose observation decides it; empty means that every exchange does.
 */
export function explainRequirement(id: RequirementId, judgedBy: readonly string[]): string {
  const { level, statement, source, reading, need, unobservable } = requirements[id];
  const about = capabilitiesOf(id).join(' and ');
  const judged =
    judgedBy.length > 0 ? `by the probe "${judgedBy.join('", "')}"` : 'on every exchange of the run that it applies to';
  const lines = [
    ['document', titlesTo(source).join(' > ')],
    ['reading', reading],
    ['profiles', profilesWith(id).join(', ')],
    ['about', about && `targets that have ${about}; for one without, see --without`],
    ['needs', need && needWords[need]],
    ['judged', unobservable === undefined ? judged : `never: ${unobservable}`],
  ].flatMap(([label = '', text = '']) =>
    text === '' ? [] : wrap(text, 68).map((line, index) => `  ${(index === 0 ? label : '').padEnd(8)}  ${line}`),
  );
  return [`${id}  ${level}`, ...wrap(statement, 78).map((line) => `  ${line}`), ...lines, ''].join('\n');
}

function titlesTo(heading: HeadingId): string[] {
  return headings.filter(([id]) => id === heading || heading.startsWith(`${id}/`)).map(([, { title }]) => title);
}

function profilesWith(id: RequirementId): ProfileName[] {
  return Object.values(profiles)
    .filter(({ ids }) => ids.includes(id))
    .map(({ name }) => name);
}
