import type { Dispatcher } from 'undici';
import type { Failure, HeaderList } from '../../specs/evidence.ts';
import type { Clock } from './clock.ts';
import { failureOf, type Phase, seconds, timedOut } from './failure.ts';

/** How much of a target's time and data one exchange may take. */
export interface Bounds {
  /** Milliseconds for connecting, for the headers, and between two pieces of the body; the whole gets three times that. */
  readonly timeoutMs: number;
  /** Bytes of the body, as they come. */
  readonly bodyLimit: number;
}

export interface RawPiece {
  readonly at: number;
  readonly bytes: Buffer;
}

/** What one request brought, before anything is masked. */
export interface RawExchange {
  readonly sentAt: number;
  readonly sentTime: number;
  readonly headersAt?: number;
  readonly endedAt: number;
  readonly response?: { readonly status: number; readonly headers: HeaderList; readonly pieces: readonly RawPiece[] };
  readonly failure?: Failure;
}

/** One-byte pieces cost a hundred times their size in memory, so their number is bounded too. */
const pieceLimit = 100_000;

/**
 * Sends one request over a dispatcher made for it alone, which is destroyed at the end: no connection is used twice,
 * so none can be stale. Settles in bounded time, whatever the target does.
 * @param clock its `elapsed` counts from the run's start
 * @throws what the HTTP client threw, where the fault is on this side
 */
export async function exchangeOver(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { timeoutMs, bodyLimit }: Bounds,
  clock: Clock,
): Promise<RawExchange> {
  const { host, protocol } = new URL(String(request.origin));
  const { elapsed } = clock;
  const sentTime = clock.now();
  const sentAt = elapsed();
  const pieces: RawPiece[] = [];
  let phase: Phase = 'connect';
  let head: { status: number; headers: HeaderList; at: number } | undefined;
  let size = 0;
  let timers: NodeJS.Timeout[] = [];
  try {
    const failure = await new Promise<Failure | undefined>((resolve, reject) => {
      const situation = () => ({ phase, host, secure: protocol === 'https:', timeoutMs });
      const phaseTimer = setTimeout(() => resolve(timedOut(situation())), timeoutMs);
      const wholeMs = 3 * timeoutMs;
      const tooLong: Failure = { kind: 'timeout', message: `not complete within ${seconds(wholeMs)}` };
      timers = [phaseTimer, setTimeout(resolve, wholeMs, tooLong)];
      const enter = (next: Phase) => {
        phase = next;
        phaseTimer.refresh();
      };
      let closing: Error | undefined;
      dispatcher.on('disconnect', (_origin, _targets, error) => {
        closing = error;
      });
      dispatcher.dispatch(request, {
        onRequestStart: () => enter('headers'),
        onResponseStart: ({ rawHeaders }, status) => {
          if (status < 200) return;
          head = { status, headers: headerList(rawHeaders), at: elapsed() };
          enter('body');
        },
        onResponseData: (_controller, chunk) => {
          if (size > bodyLimit || pieces.length > pieceLimit) return;
          phaseTimer.refresh();
          size += chunk.length;
          pieces.push({ at: elapsed(), bytes: chunk });
          if (size > bodyLimit) resolve({ kind: 'too-large', message: `the body passed ${bodyLimit} bytes` });
          if (pieces.length > pieceLimit) {
            resolve({ kind: 'too-large', message: `the body came in more than ${pieceLimit} pieces` });
          }
        },
        onResponseEnd: () => {
          // Bytes past the end of the body show as an error of the connection once it is closed.
          dispatcher.close().then(() => resolve(closing?.message === 'bad response' ? overlong : undefined), reject);
        },
        onResponseError: (_controller, error) => {
          const failed = failureOf(error, situation());
          if (failed) resolve(failed);
          else reject(error);
        },
      });
    });
    return {
      sentAt,
      sentTime,
      ...(head && { headersAt: head.at, response: { status: head.status, headers: head.headers, pieces } }),
      endedAt: elapsed(),
      ...(failure && { failure }),
    };
  } finally {
    timers.forEach(clearTimeout);
    void dispatcher.destroy();
  }
}

const overlong: Failure = { kind: 'protocol', message: 'bytes follow the end of the response: its length is wrong' };

function headerList(raw: Dispatcher.DispatchController['rawHeaders']): HeaderList {
  const texts = Array.isArray(raw) ? raw.map((part) => part.toString('latin1')) : [];
  return Array.from(
    { length: texts.length / 2 },
    (_, pair) => [texts[2 * pair] ?? '', texts[2 * pair + 1] ?? ''] as const,
  );
}
