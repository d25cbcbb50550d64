import type { BackendCall } from '../backends/backend.ts';

/** What came of a call, as the API documents it: exactly one of output and error is not null. */
export interface ToolResult {
  readonly tool_call_id: string;
  readonly output: string | null;
  readonly error: string | null;
  readonly execution_time_ms: number;
}

/** Runs calls of some functions. */
export interface ToolRunner {
  /** The functions that it runs. */
  readonly names: ReadonlySet<string>;
  /** Never throws for what a call does: a call that fails, or takes too much, has a result with an error. */
  run(call: BackendCall, signal: AbortSignal): Promise<ToolResult>;
}
