import type { Credential, Exchange } from '../../specs/evidence.ts';

/** A request as a probe makes it; the wire adds the credential and what HTTP needs. */
export interface WireRequest {
  readonly probe: string;
  /** Position among the requests of its probe, from 0. */
  readonly step: number;
  readonly method: string;
  /** Path and query below the base URL. */
  readonly path: string;
  readonly credential: Credential;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
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

/** The run's bound on requests or tokens does not allow this request; it was not sent. */
export class BudgetSpent extends Error {}

/** The target failed to answer several times in a row, so that the run stopped asking; this request was not sent. */
export class TargetSilent extends Error {}
