import type { GpuName } from './backends/gguf-protocol.ts';
import type { LogLevel } from './operation/log.ts';

/** The options of `serve` as commander reads them. */
export interface ServeChoices {
  readonly host: string;
  readonly port: number;
  readonly keys?: string;
  readonly backend?: 'gguf' | 'scripted';
  readonly model?: string;
  readonly gpu?: GpuName;
  /** Tokens. */
  readonly contextSize?: number;
  /** Milliseconds. */
  readonly ttft?: number;
  readonly tokensPerSecond?: number;
  readonly vision?: boolean;
  readonly allowImageUrls?: boolean;
  readonly webhookUrl?: string;
  /** Runs calls of execute_code. */
  readonly tools?: boolean;
  /** Where tokens of the day are kept. */
  readonly state?: string;
  /** `redis://host:port` */
  readonly limitsStore?: string;
  /** Seconds. */
  readonly window?: number;
  readonly allowFaults?: boolean;
  readonly fault?: string;
  readonly dialect?: string;
  /** Generations at the same time. */
  readonly parallel?: number;
  readonly queueSize?: number;
  /** Seconds. */
  readonly drainTimeout: number;
  /** Seconds. */
  readonly sendTimeout: number;
  readonly metricsListen?: { readonly host: string; readonly port: number };
  readonly logLevel?: LogLevel;
}

/** The server cannot be started as asked; the message says what is wrong and what to do. */
export class ServeError extends Error {}

/** Tells who runs the server, at the level info unless it is said. */
export type Say = (words: string, level?: LogLevel) => void;
