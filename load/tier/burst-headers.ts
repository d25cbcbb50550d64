import type { SocketCost } from './burst-count.ts';
import type { Fault } from './findings.ts';
import { type Headed, type LimitState, limitState } from './limit-state.ts';

/** An answer of a burst, with what was known of the others. */
export interface BurstAnswer extends Headed {
  /** Requests whose admission was known when this one was sent. */
  readonly admittedBefore: number;
  /** Requests that were begun when its answer came, this one included. */
  readonly begun: number;
  /** Whether it was sent after the chats over sockets. */
  readonly isAfterSockets: boolean;
}

/** What else a burst knows of its window. */
interface Burst {
  readonly limit: number;
  readonly windowSeconds: number;
  /** Absent where nobody knows. */
  readonly overSockets: SocketCost | undefined;
  /** What the limit leaves in the end. */
  readonly left: number;
  /** Requests that may have come back meanwhile. */
  readonly back: number;
}

/** What of headers is wrong, by the names that every engine has for it. */
type HeaderFault = 'header-limit' | 'header-sum' | 'header-remaining' | 'header-refused' | 'header-reset';

/** What the headers of a whole burst say that cannot be. */
export function wrongHeaders(answers: readonly BurstAnswer[], burst: Burst): Fault<HeaderFault>[] {
  const { limit, windowSeconds, overSockets, left, back } = burst;
  const seen = answers.map((answer) => ({ ...answer, ...limitState(answer) }));
  type Seen = (typeof seen)[number];
  const [admitted, refused] = [200, 429].map((wanted) => seen.filter(({ status }) => status === wanted));
  const wrong = (
    name: HeaderFault,
    among: readonly Seen[] = [],
    isWrong: (one: Seen) => boolean,
    words: (one: Seen) => string,
  ) => {
    const one = among.find(isWrong);
    return one === undefined ? [] : [{ name, words: `headers: ${words(one)}` }];
  };
  const socketsBefore = ({ isAfterSockets }: Seen) =>
    (isAfterSockets ? overSockets : undefined) ?? { least: 0, most: 0 };
  const most = (one: Seen) => Math.max(0, limit - 1 - one.admittedBefore - socketsBefore(one).least) + back;
  const fewest = (one: Seen) => Math.max(0, limit - one.begun - socketsBefore(one).most);
  const least = Math.min(...(admitted ?? []).map(({ remaining = Number.POSITIVE_INFINITY }) => remaining));
  // What became of the others nobody knows: they may have been counted.
  const isCounted = overSockets !== undefined && (admitted?.length ?? 0) + (refused?.length ?? 0) === answers.length;
  return [
    ...wrong(
      'header-limit',
      admitted,
      (one) => one.limit !== limit,
      (one) => `X-RateLimit-Limit is ${one.limit ?? 'absent'}, the limit is ${limit}`,
    ),
    ...wrong(
      'header-sum',
      admitted,
      ({ used, remaining }) => used === undefined || remaining === undefined || used + remaining !== limit,
      ({ used, remaining }) =>
        `Used ${used ?? 'absent'} and Remaining ${remaining ?? 'absent'} do not add up to ${limit}`,
    ),
    ...(!isCounted || least === left
      ? []
      : [
          {
            name: 'header-remaining' as const,
            words: `headers: the last admitted request says that ${least} remain, and ${left} do`,
          },
        ]),
    ...wrong(
      'header-remaining',
      isCounted ? admitted : [],
      (one) => (one.remaining ?? 0) > most(one) || (one.remaining ?? limit) < fewest(one),
      (one) => `an answer says that ${one.remaining} remain, where it can be from ${fewest(one)} to ${most(one)}`,
    ),
    ...wrong(
      'header-refused',
      refused,
      ({ remaining }) => remaining !== 0,
      ({ remaining }) => `a refusal says that ${remaining ?? 'nothing'} remain`,
    ),
    ...wrong(
      'header-reset',
      [...(admitted ?? []), ...(refused ?? [])],
      (one) => isFarReset(one, windowSeconds),
      () => 'X-RateLimit-Reset is absent or not within a window of its answer',
    ),
  ];
}

/** By how much the clock that told a reset may differ from the one that it is held to. */
const skewMs = 5_000;

/** As before, where the target tells no time of its own, and that of this machine may be another. */
const unknownSkewMs = 60_000;

/**
 * Whether an answer names no reset, or one that is further off than a window. A target that is busy may tell its own time
 * late, and this machine's clock may be another: only what is too far ahead by both is. One that has passed may be that
 * of a window which ended while the answer was made; whether it was true shows who asks after it.
 */
function isFarReset({ headers, at, resetAt }: Headed & LimitState, windowSeconds: number): boolean {
  if (resetAt === undefined) return true;
  const hasDate = Number.isFinite(Date.parse(String(headers.date)));
  const [slack, told] = [hasDate ? skewMs : unknownSkewMs, Number(headers['x-ratelimit-reset']) * 1000];
  const windowMs = windowSeconds * 1000;
  return Math.min(resetAt, told) - at > windowMs + slack || Math.max(resetAt, told) - at < -windowMs - unknownSkewMs;
}
