/** What every subject is asked for, so that they do the same work. */
export interface Workload {
  /** At a time. */
  readonly streams: number;
  /** How long, in milliseconds. */
  readonly durationMs: number;
  /** Of each answer; a model may end its answers before. */
  readonly maxTokens: number;
  /** Makes each answer reproducible; absent where the seed is random. */
  readonly seed?: number;
}

export const temperature = 0.7;

/** What one stream asks for in its turn. It begins with what no other prompt does, so that nothing of it is remembered. */
export function promptOf(stream: number, turn: number): string {
  return `${stream}-${turn}: write a long story about the sea, with a beginning, a middle and an end.`;
}
