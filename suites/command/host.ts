import type { Writable } from 'node:stream';
import type { Option } from 'commander';

/** A server to judge that was started for the run, with the keys that it knows. */
export interface Reference {
  readonly url: string;
  /** Of the Free tier. */
  readonly key: string;
  readonly disabledKey: string;
  /** The language in which it runs execute_code itself. */
  readonly runsTools: string | undefined;
  /** A key without a token left today. */
  readonly exhaustedKey: string;
  /** The name of the header that makes it fail. */
  readonly faultHeader: string;
  /** What it is, for the reader of the run. */
  readonly description: string;
  close(): Promise<void>;
}

/** What a server that is started for a run must be. */
export interface ReferenceWish {
  /** Where it is to deliver its webhooks. */
  readonly webhookUrl?: string | undefined;
  /** The GGUF model that it serves; by default the shipped one. */
  readonly gguf?: string | undefined;
  /** What it computes on; as {@link Host.modelOptions} say. */
  readonly gpu?: string | undefined;
}

/** What the commands take from the process that they run in. */
export interface Host {
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /** What a user may say of the model of a server that is started: `gguf` and `gpu`. */
  modelOptions(): readonly Option[];
  /** @throws TargetProblem where it does not come up */
  startReference(wish: ReferenceWish): Promise<Reference>;
}
