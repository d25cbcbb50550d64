import type { HeadingId } from './document.ts';

/** RFC 2119 weight of a requirement: a broken MUST fails a target, a broken SHOULD warns, a broken MAY is noted. */
export type Level = 'MUST' | 'SHOULD' | 'MAY';

/** The profile that a requirement belongs to; `standard` and `full` are put together from these. */
export type TopicProfile = 'core' | 'streaming' | 'tools' | 'limits' | 'vision' | 'websocket' | 'webhooks' | 'clients';

/** What a target can lack and still conform in the rest: a topic of its own, or a part of `core`. */
export type Capability = Exclude<TopicProfile, 'core' | 'limits' | 'clients'>;

/**
 * What a requirement takes beyond a URL and one key. Rows with a need stay out of `standard`:
 * - `disabled-key`: a key of a disabled account (`--disabled-key`);
 * - `spends-limits`: uses up the request limit of a whole window;
 * - `long-prompt`: sends a prompt as long as the model's context window;
 * - `more-requests`: takes requests that `standard` has no room for;
 * - `server-tools`: a target that runs `execute_code` itself, and an operator who says so (`--runs-tools`);
 * - `fault-header`: a target that fails when a header tells it to (`--fault-header`);
 * - `tier`: which customer tier the key belongs to (`--tier`, or `--concurrent`);
 * - `exhausted-key`: a key whose tokens of the day are used up (`--exhausted-key`);
 * - `client-programs`: runs client libraries and curl on this machine;
 * - `webhook-listener`: a place to deliver to (`--webhook-listen`), and a target that is configured to.
 */
export type Need =
  | 'disabled-key'
  | 'spends-limits'
  | 'long-prompt'
  | 'more-requests'
  | 'server-tools'
  | 'fault-header'
  | 'tier'
  | 'exhausted-key'
  | 'client-programs'
  | 'webhook-listener';

/** One row of the contract. Ids are `area.topic.rule`; an id and its level are public. */
export interface Requirement {
  readonly level: Level;
  readonly profile: TopicProfile;
  /** The rule in our own words: what is the case on a conforming target. */
  readonly statement: string;
  /** The heading of the API document that states it. */
  readonly source: HeadingId;
  /** Why the rule reads so, where the document is silent or contradicts itself. */
  readonly reading?: string;
  readonly need?: Need;
  /** What a target must have for this to be about it, beside the topic of the profile. */
  readonly capability?: Capability | readonly Capability[];
  /** Why no check can see it; such a row is listed and never judged. */
  readonly unobservable?: string;
}

export type RequirementTable = Readonly<Record<string, Requirement>>;
