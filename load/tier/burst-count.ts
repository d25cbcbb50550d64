import type { Fault } from './verdict.ts';

interface Count {
  readonly limit: number;
  /** Over REST. */
  readonly admitted: number;
  /** Requests that may have come back meanwhile. */
  readonly back: number;
  /** Whether every answer was an admission or a refusal. */
  readonly isWhole: boolean;
}

interface Share {
  /** Requests over REST that the limit admits. */
  readonly expected: number;
  readonly broken: readonly Fault<'admitted-more' | 'admitted-less'>[];
}

/**
 * What of the limit the chats over sockets took, and what is wrong with the count of the others. To open a socket may be
 * a request beside the chat on it or not: the document does not say.
 */
export function shareOf(overSockets: readonly number[], { limit, admitted, back, isWhole }: Count): Share {
  const areAdmitted = overSockets.every((status) => status === 200);
  // What a chat that failed there counts for, nobody knows.
  const sockets = areAdmitted ? overSockets.length : 0;
  const [most, least] = [limit - sockets, limit - 2 * sockets];
  const isNearerToLeast = sockets > 0 && admitted - least < most - admitted;
  const expected = isNearerToLeast ? least : most;
  const beside = sockets === 0 ? '' : ` beside ${sockets} chats over sockets`;
  if (sockets > 0 && admitted >= limit) {
    const words = 'chats over sockets are not counted with the requests over REST';
    return { expected: most, broken: [{ name: 'admitted-more', words }] };
  }
  if (admitted > expected + back) {
    const over = admitted - expected - back;
    const words = `${over} more than the limit were admitted in a window${beside}`;
    return { expected, broken: [{ name: 'admitted-more', words }] };
  }
  if (admitted < expected && isWhole) {
    const words = `${expected - admitted} fewer than the limit were admitted in a fresh window${beside}`;
    return { expected, broken: [{ name: 'admitted-less', words }] };
  }
  return { expected, broken: [] };
}
