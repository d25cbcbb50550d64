import type { ProfileName } from './profiles.ts';
import type { Capability } from './requirement.ts';

/**
 * What a run saw, as JSON Lines: one {@link EvidenceHeader}, then one {@link Exchange} or {@link Unsent} a
 * request, one {@link ClientRun} a program, one {@link Delivery} a webhook and one {@link Wait} a wait for webhooks, in
 * the order of their ends. Secrets are masked before anything is recorded; judgements read nothing but this.
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
  /** What the target is said to lack. */
  readonly without?: readonly Capability[];
  /** Whether the key of a disabled account was given. */
  readonly disabledKey: boolean;
  /** The language in which the target runs calls of `execute_code` itself, by the operator's word. */
  readonly runsTools?: string;
  /** Whether a key was given whose tokens of the day are used up; absent means no. */
  readonly exhaustedKey?: boolean;
  /** The failures that the target can be told to show; absent means none. */
  readonly demands?: readonly Demand[];
  /** The customer tier of the key. */
  readonly tier?: Tier;
  /** Chats that the key may run at the same time, where that is not what its tier says. */
  readonly concurrent?: number;
  /** Where the run listens for webhooks, as its operator was told to configure the target; absent where it does not. */
  readonly webhookUrl?: string;
  /** Hard bound on requests; absent means the profile's own cost. */
  readonly maxRequests?: number;
  /** Hard bound on tokens, prompt and completion together. */
  readonly maxTokens?: number;
}

export type Tier = 'free' | 'pro' | 'enterprise';

/** Which credential a request carried. `basic` is the valid key under the Basic scheme. */
export type Credential = 'key' | 'none' | 'unknown' | 'disabled' | 'exhausted' | 'basic';

/** A failure that a request asks for, by a header that only a target prepared for it obeys. */
export type Demand = '500' | '503' | '422' | 'cut-stream';

export type HeaderList = readonly (readonly [name: string, value: string])[];

/**
 * One step of a dialog over a socket, as a probe plans it; `$STACK29_API_KEY` in it, or in the path, stands for the key.
 * - `send`, `sendBinary`: sends a message.
 * - `await`: waits for a message with one of these types that comes after the last message of the suite, or, with
 *   `sinceStart`, after its last `start`; gives up after `withinMs`, or when nothing at all came for a phase's time. A
 *   message with a type of `endAt` ends the dialog.
 */
export type DialogStep =
  | { readonly send: string }
  | { readonly sendBinary: string }
  | {
      readonly await: readonly string[];
      readonly sinceStart?: true;
      readonly withinMs?: number;
      readonly endAt?: readonly string[];
    };

export interface RecordedRequest {
  readonly method: string;
  /** Path and query below the base URL, as sent: `/chat/completions`. */
  readonly path: string;
  readonly credential: Credential;
  /** What is said over the socket that the request asks for. */
  readonly dialog?: readonly DialogStep[];
  /** The failure that its headers ask for. */
  readonly demand?: Demand;
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

/** One message of a socket; control frames are told apart by their opcode, and fragments are put together. */
export interface Frame extends BodyPiece {
  readonly from: 'suite' | 'target';
  readonly opcode: 'text' | 'binary' | 'close' | 'ping' | 'pong';
  /** The status of a close, where it has one. */
  readonly code?: number;
}

/** What went over a socket once it was open. */
export interface RecordedSocket {
  readonly frames: readonly Frame[];
  /** Why the dialog did not come to its end, where the target or the time was to blame. */
  readonly failure?: Failure;
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
  /** Present where the response is a 101. */
  readonly socket?: RecordedSocket;
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

/** The programs of real clients that a run can start. */
export type ClientName = 'openai-js' | 'openai-python' | 'langchain' | 'curl';

/** A run of a client's program. Its requests went through the suite, so that each is an {@link Exchange} too. */
export interface ClientRun {
  readonly kind: 'client';
  readonly probe: string;
  readonly client: ClientName;
  /** What it sent, in order: the case that it belongs to, and what replays it. */
  readonly requests: readonly ClientRequest[];
  /** What it printed, a JSON object a case. */
  readonly facts: readonly ClientFacts[];
  /** One line for a person: why there is less than that. */
  readonly problem?: string;
}

export interface ClientRequest {
  readonly case: string;
  readonly method: string;
  readonly path: string;
  readonly credential: Credential;
  readonly body?: string;
}

/** What came of a case, as the program saw it. */
export interface ClientFacts {
  readonly case: string;
  /** The text of the answer. */
  readonly content?: unknown;
  /** Why the answer ended. */
  readonly ending?: unknown;
  /** A list of the calls in the answer: the `name` of each, and its `arguments` as the client gives them. */
  readonly calls?: unknown;
  /** What the client library threw instead. */
  readonly error?: { readonly class: string; readonly message: string; readonly status?: unknown };
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
export type RecordedLine = Exchange | Unsent | ClientRun | Delivery | Wait;

export type EvidenceLine = EvidenceHeader | RecordedLine;
