import type { Delivery, RecordedLine, Wait } from '../../specs/evidence.ts';
import type { Webhooks } from '../probe.ts';
import type { Mask } from '../transport/mask.ts';
import { NotSent } from '../transport/wire.ts';
import type { RawDelivery, WebhookListener } from './listener.ts';

/** Where probes find what was delivered: live from a listener, or from evidence. */
export interface Inbox {
  /** @param record takes the end of each wait of the probe */
  open(probe: string, record: (line: Wait) => void): Webhooks;
}

interface InboxSettings {
  readonly mask: Mask;
  /** How long a wait lasts at most. */
  readonly timeoutMs: number;
  /** `performance.now()` at the run's start, from which all times are counted. */
  readonly startedAt: number;
  /** Takes each delivery as it comes. */
  readonly record?: ((line: Delivery) => void) | undefined;
}

export function openInbox(listener: WebhookListener, { mask, timeoutMs, startedAt, record }: InboxSettings): Inbox {
  const taken: Delivery[] = [];
  listener.arrivals.on('delivery', (raw) => {
    const delivery = recorded(raw, mask, startedAt);
    taken.push(delivery);
    record?.(delivery);
  });
  return {
    open(probe, recordWait) {
      let step = 0;
      return {
        refuseNext: listener.refuseNext,
        async wait(enough, withinMs = timeoutMs) {
          await until(() => enough(taken), Math.min(withinMs, timeoutMs), listener);
          const deliveries = [...taken];
          recordWait({ kind: 'wait', probe, step, deliveries: deliveries.length });
          step += 1;
          return deliveries;
        },
      };
    },
  };
}

function recorded({ at, bytes, headers, path, ...rest }: RawDelivery, mask: Mask, startedAt: number): Delivery {
  const since = Math.round((at - startedAt) * 1000) / 1000;
  const { pieces } = mask.response({ status: 200, headers: [], pieces: [{ at: since, bytes }] });
  const body = pieces[0] ?? { at: since };
  return { kind: 'delivery', ...rest, at: since, path: mask.text(path), headers: mask.requestHeaders(headers), body };
}

function until(holds: () => boolean, withinMs: number, { arrivals }: WebhookListener): Promise<void> {
  return new Promise((resolve) => {
    let due: NodeJS.Immediate | undefined;
    const end = () => {
      clearTimeout(timer);
      clearImmediate(due);
      arrivals.off('delivery', arrive);
      resolve();
    };
    const look = () => {
      due = undefined;
      if (holds()) end();
    };
    // Of a flood, what comes in one turn is looked at together.
    const arrive = () => {
      due ??= setImmediate(look);
    };
    const timer = setTimeout(end, withinMs);
    arrivals.on('delivery', arrive);
    look();
  });
}

/** Gives back what was recorded. */
export function openReplayInbox(lines: readonly RecordedLine[]): Inbox {
  const taken = lines.filter((line) => line.kind === 'delivery');
  const waits = lines.filter((line) => line.kind === 'wait');
  return {
    open(probe) {
      let step = 0;
      return {
        refuseNext: () => {},
        async wait() {
          const wait = waits.find((line) => line.probe === probe && line.step === step);
          step += 1;
          if (!wait) throw new NotSent('the evidence holds no such wait for webhooks: its run ended before');
          return taken.slice(0, wait.deliveries);
        },
      };
    },
  };
}

/** Of a run that does not listen. */
export const noInbox: Inbox = {
  open: () => ({
    refuseNext: () => {},
    wait: async () => {
      throw new NotSent('the run does not listen for webhooks: give --webhook-listen host:port');
    },
  }),
};
