import type { Progress } from '../run.ts';
import type { Host } from './host.ts';

export interface Narrator {
  /** A line that stays. */
  say(line: string): void;
  /** One rewritten line on a terminal; elsewhere a line for each quarter. */
  advance(progress: Progress): void;
  /** Takes the rewritten line away. */
  end(): void;
}

const clearLine = '\r\u001b[K';

/** Tells on standard error what a command is doing; nothing at all when it is to be quiet. */
export function narrate({ stderr }: Pick<Host, 'stderr'>, quiet = false): Narrator {
  if (quiet) return { say: () => {}, advance: () => {}, end: () => {} };
  const tty = stderr.isTTY === true;
  let quarter = 0;
  return {
    say: (line) => stderr.write(`${tty ? clearLine : ''}${line}\n`),
    advance: ({ done, total, probe }) => {
      const text = `${done} of ${total} probes`;
      if (tty) {
        stderr.write(`${clearLine}${`${text}: ${probe}`.slice(0, (stderr.columns ?? 80) - 1)}`);
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
