import type { Pulse } from './engine/pulse.ts';
import type { LoadHost } from './host.ts';
import { wrap } from './report/wrap.ts';

export interface LiveView {
  /** A line that stays. */
  say(line: string): void;
  /** The counters so far; on a terminal one rewritten line shows them. */
  beat(pulse: Pulse, what: string): void;
  /** What goes on, in the rewritten line. */
  show(line: string): void;
  /** Takes the rewritten line away. */
  end(): void;
}

const clearLine = '\r\u001b[K';

/** Tells on standard error how a run goes; nothing at all when it is to be quiet. */
export function openLiveView({ stderr }: Pick<LoadHost, 'stderr'>, quiet = false): LiveView {
  if (quiet) return { say: () => {}, beat: () => {}, show: () => {}, end: () => {} };
  const isTerminal = stderr.isTTY === true;
  let last: { readonly pulse: Pulse; readonly at: number } | undefined;
  let shown = '';
  const show = (line: string) => {
    if (isTerminal) stderr.write(`${clearLine}${line.slice(0, (stderr.columns ?? 80) - 1)}`);
  };
  return {
    show,
    say: (line) => stderr.write(isTerminal ? `${clearLine}${wrap(line, stderr.columns ?? 80)}\n` : `${line}\n`),
    beat(pulse, what) {
      if (!isTerminal) return;
      const at = performance.now();
      // A new measurement counts from nothing.
      if (last === undefined || pulse.sent < last.pulse.sent) last = { pulse, at };
      if (at - last.at >= 900) {
        shown = rates(last.pulse, pulse, (at - last.at) / 1000);
        last = { pulse, at };
      }
      // What a narrow terminal cuts is what matters least.
      const failures = [
        ...(pulse.failed > 0 ? [`errors ${pulse.failed}`] : []),
        ...(pulse.limited > 0 ? [`429 ${pulse.limited}`] : []),
      ];
      show([what, ...failures, `in flight ${pulse.inFlight}`, shown].join('  '));
    },
    end() {
      if (isTerminal) stderr.write(clearLine);
    },
  };
}

function rates(before: Pulse, now: Pulse, seconds: number): string {
  const perSecond = (name: 'sent' | 'pieces') => ((now[name] - before[name]) / seconds).toFixed(1);
  const answered = now.ttftCount - before.ttftCount;
  const ttft = answered > 0 ? `${((now.ttftSum - before.ttftSum) / answered).toFixed(0)} ms` : '-';
  return `${perSecond('sent')} req/s  ttft ${ttft}  ${perSecond('pieces')} tokens/s`;
}
