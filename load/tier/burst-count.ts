import type { Fault } from './findings.ts';

/**
 * Chats over sockets in a burst: some on a socket each, and some on one together. What they count for tells whether it is
 * starts that count, or sockets, or both, and by so much that nothing of it looks like a limit that is one off.
 */
export const socketChats = { alone: 2, together: 4 };

/** What all of them may count for: a start is a request; to open a socket may be one too, the document does not say. */
export const socketCosts = {
  starts: socketChats.alone + socketChats.together,
  both: 2 * socketChats.alone + socketChats.together + 1,
};

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
  readonly broken: readonly Fault<'admitted-more' | 'admitted-beside-sockets' | 'admitted-less'>[];
}

/** What the chats over sockets leave of the limit to those over REST, and what is wrong with the count of these. */
export function shareOf(overSockets: readonly number[], { limit, admitted, back, isWhole }: Count): Share {
  // What a chat that failed there counts for, nobody knows.
  const isKnown = overSockets.length > 0 && overSockets.every((status) => status === 200);
  const [most, least] = isKnown ? [limit - socketCosts.starts, limit - socketCosts.both] : [limit, limit];
  const expected = admitted - least < most - admitted ? least : most;
  const beside = isKnown ? ` beside ${overSockets.length} chats over sockets` : '';
  if (isKnown && admitted > most + 1 + back) {
    const words = 'chats over sockets are not counted with the requests over REST';
    return { expected: most, broken: [{ name: 'admitted-beside-sockets', words }] };
  }
  if (admitted > expected + back) {
    const words = `${admitted - expected - back} more than the limit were admitted in a window${beside}`;
    return { expected, broken: [{ name: 'admitted-more', words }] };
  }
  if (admitted < expected && isWhole) {
    const words = `${expected - admitted} fewer than the limit were admitted in a fresh window${beside}`;
    return { expected, broken: [{ name: 'admitted-less', words }] };
  }
  return { expected, broken: [] };
}
