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

/** Requests that chats over sockets may have counted for. */
export interface SocketCost {
  readonly least: number;
  readonly most: number;
}

interface Share {
  /** Requests over REST that the limit admits. */
  readonly expected: number;
  /** Absent where a chat over a socket failed, as nobody knows what that counts for. */
  readonly overSockets?: SocketCost;
  readonly broken: readonly Fault<'admitted-more' | 'admitted-beside-sockets' | 'admitted-less'>[];
}

/** What the chats over sockets leave of the limit to those over REST, and what is wrong with the count of these. */
export function shareOf(overSockets: readonly number[], { limit, admitted, back, isWhole }: Count): Share {
  const isPart = overSockets.length > 0;
  const isKnown = overSockets.every((status) => status === 200);
  const [most, least] = isPart && isKnown ? [limit - socketCosts.starts, limit - socketCosts.both] : [limit, limit];
  const beside = isPart && isKnown ? ` beside ${overSockets.length} chats over sockets` : '';
  if (isPart && isKnown && admitted > most + 1 + back) {
    const cost = { least: 0, most: socketCosts.both };
    return { expected: most, overSockets: cost, broken: [tooManyBeside(admitted - limit - back)] };
  }
  const expected = admitted - least < most - admitted ? least : most;
  // What came back meanwhile hides which of the two they counted for.
  const cost =
    back > 0 ? { least: limit - most, most: limit - least } : { least: limit - expected, most: limit - expected };
  const share = { expected, ...(isKnown && { overSockets: cost }) };
  if (admitted > expected + back) {
    const words = `${admitted - expected - back} more than the limit were admitted in a window${beside}`;
    return { ...share, broken: [{ name: 'admitted-more', words }] };
  }
  if (admitted < expected && isWhole) {
    const words = `${expected - admitted} fewer than the limit were admitted in a fresh window${beside}`;
    return { ...share, broken: [{ name: 'admitted-less', words }] };
  }
  return { ...share, broken: [] };
}

/** @param beyond how many of those over REST are more than the limit even where no chat over a socket counts */
function tooManyBeside(beyond: number): Fault<'admitted-more' | 'admitted-beside-sockets'> {
  return beyond > 0
    ? { name: 'admitted-more', words: `${beyond} more than the limit were admitted in a window over REST alone` }
    : { name: 'admitted-beside-sockets', words: 'chats over sockets are not counted with the requests over REST' };
}
