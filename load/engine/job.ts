import type { LoadWorkload } from '../../specs/wire.ts';
import type { OpenArrival, TracedRequest } from './arrival.ts';
import type { KeyPlace } from './socket-key.ts';

/** Where requests go. Holds the key, so it is never printed. */
export interface Endpoint {
  /** Base URL with its `/v1`. */
  readonly url: string;
  readonly key: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Certificates (PEM) to trust instead of the system's. */
  readonly ca: string | undefined;
  readonly insecure: boolean;
}

/** What requests say. */
export interface Wording {
  readonly model: string;
  readonly workload: LoadWorkload;
  /** Whether streams are asked for their usage; some targets refuse to be. */
  readonly askUsage: boolean;
  /** How the target counts a prompt of n of our words: `fixed + n * perWord`. */
  readonly promptCost: { readonly fixed: number; readonly perWord: number };
  /** Where the target reads the key of a WebSocket, where that was found out. */
  readonly keyPlace?: KeyPlace;
}

export type JobArrival =
  | { readonly kind: 'closed'; readonly concurrency: number }
  | { readonly kind: 'trace'; readonly requests: readonly TracedRequest[]; readonly speed: number }
  | OpenArrival;

/** All that a process needs to measure; JSON, so that it can be sent to one. */
export interface Job {
  readonly endpoint: Endpoint;
  readonly wording: Wording;
  readonly arrival: JobArrival;
  /** Requests due before it are not measured. */
  readonly warmUpMs: number;
  /** How long after the warm-up requests are due. */
  readonly durationMs?: number;
  /** Measured requests at most. */
  readonly requests?: number;
  readonly timeoutMs: number;
  readonly slos: Readonly<Record<string, number>>;
  readonly seed: number;
  /** Which part of the requests is this process's: those of which the index modulo `of` is `index`. */
  readonly share: { readonly index: number; readonly of: number };
}
