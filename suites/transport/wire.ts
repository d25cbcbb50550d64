import type { Credential, Demand, DialogStep, Exchange } from '../../specs/evidence.ts';

/** A request as a probe makes it; the wire adds the credential and what HTTP needs. */
export interface WireRequest {
  readonly probe: string;
  /** Position among the requests of its probe, from 0. */
  readonly step: number;
  readonly method: string;
  /** Path and query below the base URL. */
  readonly path: string;
  readonly credential: Credential;
  /** The failure that it asks for; the wire adds the header. */
  readonly demand?: Demand;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Asks for a WebSocket, and says this over it. */
  readonly dialog?: readonly DialogStep[];
  /** Spends the rate limit on purpose, so that the governor does not hold it back. */
  readonly unpaced?: boolean;
  /** Goes out however many requests are under way. */
  readonly atOnce?: boolean;
  /** Unix time in milliseconds before which a live run does not send it. */
  readonly notBefore?: number;
}

/**
 * Carries requests to the target and brings back what was seen: live over sockets, or from an evidence file. Whatever
 * the target does is in the {@link Exchange}; `send` rejects only for faults of the suite, {@link BudgetSpent} or
 * {@link TargetSilent}.
 */
export interface Wire {
  send(request: WireRequest): Promise<Exchange>;
  close(): Promise<void>;
}

/** The request was not sent, for a reason that its message gives in one line: see the governor. */
export class NotSent extends Error {}

/** The run's bound on requests or tokens does not allow this request. */
export class BudgetSpent extends NotSent {}

/** The target failed to answer several times in a row, so that the run stopped asking. */
export class TargetSilent extends NotSent {}

/** The options do not make a usable wire: a usage error. The message says which option and what to do. */
export class BadSettings extends Error {}

/** An evidence file cannot be read, or does not hold what is asked of it. The message says where, and what to do. */
export class BadEvidence extends Error {}
