import type { ClientName, ClientRun, Credential, Delivery, Demand, DialogStep, RunOptions } from '../specs/evidence.ts';
import type { RequirementId } from '../specs/requirements/index.ts';
import type { Reply } from './reply.ts';

/** A model as the target lists it, reduced to what probes need. */
export interface ListedModel {
  readonly id: string;
  readonly contextWindow: number | undefined;
  /** What its capabilities say of streams, tools and images; `undefined` where they say nothing. */
  readonly streaming: boolean | undefined;
  readonly tools: boolean | undefined;
  readonly vision: boolean | undefined;
}

/**
 * The two exchanges with which every run begins, and what follows from them. A refusal is only evidence beside a
 * request that was not refused, so negative judgements rest on these.
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
  /** Asks for a WebSocket, and says this over it. */
  readonly dialog?: readonly DialogStep[];
  /** The failure that the target is to show. Only what the options list can be asked for. */
  readonly demand?: Demand;
  /** Spends the rate limit on purpose, so the governor does not hold it back. */
  readonly unpaced?: boolean;
  /** Goes out however many requests are under way: to see how many may be. */
  readonly atOnce?: boolean;
  /** Unix time in milliseconds before which it is not sent. */
  readonly notBefore?: number;
}

/** Members of a chat request; one given as `undefined` is left out. */
export type ChatMembers = Readonly<Record<string, unknown>>;

/** What the run's listener takes in of the target's webhooks. */
export interface Webhooks {
  /** Answers the next delivery with 503. */
  refuseNext(): void;
  /**
   * Waits until what has come is enough, at most for a time, and gives back all that has come since the run's start, in
   * the order of arrival.
   * @param withinMs milliseconds; as long as the run waits for a phase of a request, unless given
   */
  wait(enough: (deliveries: readonly Delivery[]) => boolean, withinMs?: number): Promise<readonly Delivery[]>;
}

/** The verbs with which a probe talks to the target. None throws for what the target does: see {@link Reply}. */
export interface Client {
  /** `POST /chat/completions`; model, one short user message and a small `max_tokens` are filled in. */
  chat(members?: ChatMembers, options?: RequestOptions): Promise<Reply>;
  /** Any request; a body is sent as it stands, as JSON by its label. */
  send(method: string, path: string, body?: string, options?: RequestOptions): Promise<Reply>;
  /** Rejects with NotSent where the run does not listen. */
  readonly webhooks: Webhooks;
}

/** What a judgement may know beside what its probe saw. */
export interface Context {
  readonly options: RunOptions;
  readonly baseline: Baseline;
}

/** What came of a run of a client's program, with the last reply of each of its cases. */
export interface ClientSeen extends ClientRun {
  readonly replies: ReadonlyMap<string, Reply>;
}

/** What a probe acts on. */
export interface Target extends Client, Context {
  /** Runs the program of a real client against the target, which does these of its cases. */
  client(name: ClientName, cases: readonly string[]): Promise<ClientSeen>;
}

/** A pure function of what was seen: returns when the requirement holds, else throws by a verb of expect.ts. */
export type Judgement<Seen> = (seen: Seen, context: Context) => undefined;

/** An upper bound of what a probe sends. */
export interface Cost {
  readonly requests: number;
  /** Prompt and completion tokens together. */
  readonly tokens: number;
  /** Seconds that it waits or lasts by construction, beside what the target takes to answer. */
  readonly seconds?: number;
}

/** A stimulus and the requirements that its one observation decides. */
export interface Probe<Seen> {
  /** Says what is done, in a few words: "a plain streamed completion". */
  readonly name: string;
  readonly cost: Cost;
  /** Runs last and alone: it spends what the others need. */
  readonly exclusive?: boolean;
  act(target: Target): Promise<Seen>;
  readonly judge: { readonly [Id in RequirementId]?: Judgement<Seen> };
}

/** A probe with its observation's type closed over, so that probes of all kinds stand in one list. */
export interface BoundProbe {
  readonly name: string;
  readonly cost: Cost;
  readonly exclusive: boolean;
  readonly ids: readonly RequirementId[];
  /** Acts, and gives back one thunk an id that judges what was seen. */
  observe(target: Target): Promise<ReadonlyMap<RequirementId, () => undefined>>;
}

export function defineProbe<Seen>(probe: Probe<Seen>): BoundProbe {
  const judgements = Object.entries(probe.judge) as [RequirementId, Judgement<Seen>][];
  return {
    name: probe.name,
    cost: probe.cost,
    exclusive: probe.exclusive ?? false,
    ids: judgements.map(([id]) => id),
    async observe(target) {
      const seen = await probe.act(target);
      return new Map(judgements.map(([id, judge]) => [id, () => judge(seen, target)]));
    },
  };
}
