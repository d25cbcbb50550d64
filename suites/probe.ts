import type { Credential, RunOptions } from '../specs/evidence.ts';
import type { RequirementId } from '../specs/requirements/index.ts';
import type { Reply } from './reply.ts';

/** A model as the target lists it, reduced to what probes need. */
export interface ListedModel {
  readonly id: string;
  readonly contextWindow: number | undefined;
}

/**
 * What was learnt before the probes ran: the two exchanges with which every run begins, and what follows from them.
 * A refusal is only evidence beside a request that was not refused, so negative judgements rest on these.
 */
export interface Baseline {
  /** `GET /models` with the key. */
  readonly list: Reply;
  /** The smallest chat that a conforming target must answer. */
  readonly chat: Reply;
  readonly models: readonly ListedModel[];
  /** The model that every chat of the run asks for. */
  readonly model: string;
}

export interface RequestOptions {
  readonly credential?: Credential;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The verbs with which a probe talks to the target. None throws for what the target does: see {@link Reply}. */
export interface Target {
  readonly options: RunOptions;
  readonly baseline: Baseline;
  /**
   * `POST /chat/completions`. `body` is completed by the run's model, one short user message and a small
   * `max_tokens`; a member given as `undefined` is left out of the request.
   */
  chat(body?: Readonly<Record<string, unknown>>, options?: RequestOptions): Promise<Reply>;
  /** Any request: the body is sent as it stands. */
  send(method: string, path: string, body?: string, options?: RequestOptions): Promise<Reply>;
}

/** A pure function of what was seen: returns when the requirement holds, else throws by a verb of expect.ts. */
export type Judgement<Seen> = (seen: Seen, target: Target) => undefined;

/** An upper bound of what a probe sends. */
export interface Cost {
  readonly requests: number;
  /** Prompt and completion tokens together. */
  readonly tokens: number;
}

/** A stimulus and the requirements that its one observation decides. */
export interface Probe<Seen = never> {
  /** Names what is done, in a few words: "a plain streamed completion". */
  readonly name: string;
  /** `exclusive` probes run last and alone: they spend what the others need. */
  readonly exclusive?: boolean;
  cost(target: Target): Cost;
  act(target: Target): Promise<Seen>;
  readonly judge: { readonly [Id in RequirementId]?: Judgement<Seen> };
}
