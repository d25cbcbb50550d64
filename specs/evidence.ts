import type { ProfileName } from './profiles.ts';

/**
 * What a run saw, as JSON Lines: one {@link EvidenceHeader}, then one {@link Exchange} or {@link Unsent} a
 * request, one {@link Delivery} a webhook and one {@link Wait} a wait for webhooks, in the order of their ends. Secrets are masked before anything is recorded; judgements read nothing but this.
 */
export const evidenceFormat = 'stack29-evidence/1';

export interface EvidenceHeader {
  readonly kind: 'header';
  readonly format: typeof evidenceFormat;
  readonly tool: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly options: RunOptions;
}

/** The choices of a run that decide what is sent and how it is judged. Holds no secret. */
export interface RunOptions {
  /** Base URL of the target, with its `/v1`, without a slash at the end. */
  readonly url: string;
  readonly profile: ProfileName;
  /** Ids or globs of requirements; empty means all of the profile. */
  readonly only: readonly string[];
  readonly model?: string;
  /** Whether the key of a disabled account was given. */
  readonly disabledKey: boolean;
  /** The language in which the target runs calls of `execute_code` itself, by the operator's word. */
  readonly runsTools?: string;
  /** Where the run listens for webhooks, as its operator was told to configure the target; absent where it does not. */
  readonly webhookUrl?: string;
  /** Hard bound on requests; absent means the profile's own cost. */
  readonly maxRequests?: number;
  /** Hard bound on tokens, prompt and completion together. */
  readonly maxTokens?: number;
}

/** Which credential a request carried. `basic` is the valid key under the Basic scheme. */
export type Credential = 'key' | 'none' | 'unknown' | 'disabled' | 'basic';

export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface RecordedRequest {
  readonly method: string;
  /** Path and query below the base URL, as sent: `/chat/completions`. */
  readonly path: string;
  readonly credential: Credential;
  readonly headers: HeaderList;
  readonly body?: string;
}

/** A piece of a body as one read gave it; `base64` where the bytes are not valid UTF-8 by themselves. */
export interface BodyPiece {
  /** Milliseconds since the run's start, from a monotonic clock. */
  readonly at: number;
  readonly text?: string;
  readonly base64?: string;
}

export interface RecordedResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly pieces: readonly BodyPiece[];
}

/** Why a response did not arrive whole. */
export type FailureKind =
  | 'refused' // no connection: refused, unreachable, unknown name
  | 'tls' // certificate or handshake
  | 'timeout' // a phase or the whole exchange took too long
  | 'closed' // the connection ended before the response did
  | 'protocol' // what arrived is not HTTP
  | 'too-large'; // the headers or the body passed the limit

export interface Failure {
  readonly kind: FailureKind;
  /** One line for a person, without the target's own bytes. */
  readonly message: string;
}

/** One request and what came of it. Times are milliseconds since the run's start, from a monotonic clock. */
export interface Exchange {
  readonly kind: 'exchange';
  readonly probe: string;
  /** Position among the exchanges of its probe, from 0. */
  readonly step: number;
  readonly request: RecordedRequest;
  readonly sentAt: number;
  /** Unix time in milliseconds at the moment of sending; the one wall-clock reading that judgements use. */
  readonly sentTime: number;
  readonly headersAt?: number;
  readonly endedAt: number;
  /** Present once a status line and headers arrived, also when the body then failed. */
  readonly response?: RecordedResponse;
  readonly failure?: Failure;
}

/** A request that a probe wanted and the run held back: over its bounds, or to a target that stopped answering. */
export interface Unsent {
  readonly kind: 'unsent';
  readonly probe: string;
  readonly step: number;
  /** One line for a person: why, and what to give. */
  readonly reason: string;
}

/** One webhook as the run's listener took it in. */
export interface Delivery {
  readonly kind: 'delivery';
  /** When the whole request had come, in milliseconds since the run's start, from a monotonic clock. */
  readonly at: number;
  /** The same moment in Unix milliseconds. */
  readonly time: number;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: HeaderList;
  readonly body: BodyPiece;
  /** The status that the listener answered with. */
  readonly answered: number;
}

/** The end of a wait for webhooks. */
export interface Wait {
  readonly kind: 'wait';
  readonly probe: string;
  /** Position among the waits of its probe, from 0. */
  readonly step: number;
  /** How many deliveries had come since the run's start: what the probe saw. */
  readonly deliveries: number;
}

/** A line behind the header. */
export type RecordedLine = Exchange | Unsent | Delivery | Wait;

export type EvidenceLine = EvidenceHeader | RecordedLine;
