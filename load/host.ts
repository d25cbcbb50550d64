import type { Writable } from 'node:stream';
import type { Option } from 'commander';

/** A server to measure that was started for the run. */
export interface Reference {
  readonly url: string;
  readonly key: string;
  /** What it is, for the reader of the report. */
  readonly description: string;
  close(): Promise<void>;
}

/** What a server that is started for a run must be. */
export interface ReferenceWish {
  /** The tier of its key; `unlimited` is none. */
  readonly tier: 'free' | 'pro' | 'enterprise' | 'unlimited';
  /** Of its key, where they are not those of the tier. */
  readonly limits?: {
    readonly requestsPerMinute?: number;
    readonly concurrent?: number;
    readonly tokensPerDay?: number;
    /** Of the request limit. */
    readonly windowSeconds?: number;
  };
  /** Default: a GGUF model where that can be run. */
  readonly backend?: 'gguf' | 'scripted';
  /** The GGUF model that it serves; by default the shipped one. */
  readonly gguf?: string | undefined;
  /** What it computes on; as {@link LoadHost.modelOptions} say. */
  readonly gpu?: string | undefined;
  /** Where the text is scripted: milliseconds to the first token. */
  readonly ttft?: number;
  /** Where the text is scripted: pace of the tokens after it. */
  readonly tokensPerSecond?: number;
}

/** What the load commands take from the process that they run in, and from the other rooms. */
export interface LoadHost {
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What was typed after the name of the program. */
  readonly argv: readonly string[];
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /** Name and version, for reports. */
  readonly tool: string;
  /** What a user may say of the model of a server that is started: `gguf` and `gpu`. */
  modelOptions(): readonly Option[];
  startReference(wish: ReferenceWish): Promise<Reference>;
  /** A base URL without slashes at its end; throws an error for the user. @param option names it */
  baseUrlOf(text: string, option: string): string;
  /** Rejects with an error for the user where a report could not be written there. */
  checkOut(path: string): Promise<void>;
  /** Writes a file whole or not at all. */
  writeWhole(path: string, text: string): Promise<void>;
}
