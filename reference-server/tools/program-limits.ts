/** What one program may take. */
export interface ProgramLimits {
  /** Milliseconds from its first step. */
  readonly timeMs: number;
  /** Bytes of all that it holds. */
  readonly memoryBytes: number;
  /** Characters of what it prints. */
  readonly outputLength: number;
}

export const programLimits: ProgramLimits = { timeMs: 2_000, memoryBytes: 64 * 2 ** 20, outputLength: 64 * 2 ** 10 };

/** What the server asks of a process or thread that runs programs. */
export interface ProgramRequest {
  readonly code: string;
  readonly limits: ProgramLimits;
}

/** What came of a program: what it printed, or why it failed. */
export type ProgramOutcome = { readonly output: string } | { readonly error: string };

/** Runs one program. Never rejects for what the program does. */
export type RunProgram = (request: ProgramRequest, signal: AbortSignal) => Promise<ProgramOutcome>;

/** What comes of a program whose client left before it was begun. */
export const unawaited: ProgramOutcome = { error: 'nobody waits for the program any more' };

export function tooLong({ timeMs }: ProgramLimits): string {
  return `the program did not end within ${timeMs / 1000} seconds`;
}

export function tooMuchMemory({ memoryBytes }: ProgramLimits): string {
  return `the program took more than ${memoryBytes / 2 ** 20} MiB of memory`;
}

/** Takes what a program prints, up to a limit. */
export class Printed {
  readonly #most: number;
  #text = '';
  #tooLong = false;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether there is still room. */
  add(text: string): boolean {
    this.#tooLong ||= this.#text.length + text.length > this.#most;
    if (!this.#tooLong) this.#text += text;
    return !this.#tooLong;
  }

  outcome(): ProgramOutcome {
    return this.#tooLong ? { error: `the program printed more than ${this.#most} characters` } : { output: this.#text };
  }
}
