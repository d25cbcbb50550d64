import { createHash } from 'node:crypto';
import type { Need, Requirement, TopicProfile } from './requirement.ts';
import { type RequirementId, requirementIds, requirements } from './requirements/index.ts';

export type ProfileName = TopicProfile | 'standard' | 'full';

/** A named set of requirements; `ids` stand in the order of the table. */
export interface Profile {
  readonly name: ProfileName;
  readonly description: string;
  readonly ids: readonly RequirementId[];
  /** Twelve hex digits that change whenever a requirement joins, leaves, or gets another level or statement. */
  readonly digest: string;
}

/** What no topic is about: `full` alone takes it. */
const apart: ReadonlySet<Need | undefined> = new Set<Need>([
  'disabled-key',
  'exhausted-key',
  'long-prompt',
  'fault-header',
  'server-tools',
]);

/** The profiles that a run can judge. None holds a requirement that no check can see. */
export const profiles: Readonly<Record<ProfileName, Profile>> = Object.freeze({
  core: topic('core', 'errors, keys, models and chat completions'),
  streaming: topic('streaming', 'chat completions as a stream of events'),
  tools: topic('tools', 'calls of tools, in one body and streamed'),
  limits: topic('limits', 'rate limits and their headers'),
  vision: topic('vision', 'images in messages'),
  websocket: topic('websocket', 'chats over a WebSocket'),
  clients: topic('clients', 'real clients: the openai packages, LangChain and curl'),
  webhooks: topic('webhooks', 'deliveries to a webhook'),
  standard: profile('standard', 'all that a URL and one key can show', (row) => row.need === undefined),
  full: profile('full', 'all that any target can show', () => true),
});

/** All that a topic is about, whatever it takes. */
function topic(name: TopicProfile, description: string): Profile {
  return profile(name, description, (row) => row.profile === name && !apart.has(row.need));
}

function profile(name: ProfileName, description: string, belongs: (row: Requirement) => boolean): Profile {
  const ids = requirementIds.filter((id) => requirements[id].unobservable === undefined && belongs(requirements[id]));
  return Object.freeze({ name, description, ids: Object.freeze(ids), digest: digestOf(ids) });
}

/** Covers what the requirements say, not the order in which the table lists them. */
function digestOf(ids: readonly RequirementId[]): string {
  const lines = ids.map((id) => `${requirements[id].level} ${id} ${requirements[id].statement}\n`);
  return createHash('sha256').update(lines.sort().join('')).digest('hex').slice(0, 12);
}
