import type { Socket } from 'node:net';

/** How often it is looked within the time that a client has: a machine that stands still counts for no more than one. */
const looks = 4;

/**
 * Watches whether a client takes what is sent to it. The timeout of a socket does not tell: it begins anew when the client
 * sends something.
 * @param stalled called once, when something waits to be sent and for so long nothing more of it was
 * @returns ends the watch
 */
export function watchReader(socket: Socket, timeoutMs: number, stalled: () => void): () => void {
  let taken = 0;
  let still = 0;
  const timer = setInterval(() => {
    const { bytesWritten, writableLength } = socket;
    const isStill = writableLength > 0 && bytesWritten - writableLength === taken;
    still = isStill ? still + 1 : 0;
    taken = bytesWritten - writableLength;
    if (still < looks) return;
    clearInterval(timer);
    stalled();
  }, timeoutMs / looks);
  return () => clearInterval(timer);
}
