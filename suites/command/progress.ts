import type { Host } from './host.ts';

/** How far a command is. */
interface Advance {
  readonly done: number;
  readonly total: number;
  /** What was done last. */
  readonly last: string;
}

export interface Narrator {
  /** A line that stays. */
  say(line: string): void;
  /** One rewritten line on a terminal; elsewhere a line for each quarter. */
  advance(progress: Advance): void;
  /** Takes the rewritten line away. */
  end(): void;
}

const clearLine = '\r\u001b[K';

/**
 * Tells on standard error what a command is doing; nothing at all when it is to be quiet.
 * @param things what it does many of
 */
export function narrate({ stderr }: Pick<Host, 'stderr'>, things: string, quiet = false): Narrator {
  if (quiet) return { say: () => {}, advance: () => {}, end: () => {} };
  const tty = stderr.isTTY === true;
  let quarter = 0;
  return {
    say: (line) => stderr.write(`${tty ? clearLine : ''}${line}\n`),
    advance: ({ done, total, last }) => {
      const text = `${done} of ${total} ${things}`;
      if (tty) {
        stderr.write(`${clearLine}${`${text}: ${last}`.slice(0, (stderr.columns ?? 80) - 1)}`);
        return;
      }
      const reached = Math.floor((4 * done) / total);
      if (reached > quarter) stderr.write(`${text}\n`);
      quarter = reached;
    },
    end: () => {
      if (tty) stderr.write(clearLine);
    },
  };
}
