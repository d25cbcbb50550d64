import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** The way to one client. Each promise resolves once the bytes are with the system, or the client is gone. */
export interface Channel {
  text(text: string): Promise<void>;
  binary(bytes: Uint8Array): Promise<void>;
  /** One message in several frames. */
  fragments(parts: readonly string[]): Promise<void>;
  /** Bytes that need not be WebSocket. */
  raw(bytes: Uint8Array): Promise<void>;
  close(code: number, reason: string): void;
  /** Ends the connection without a close. */
  drop(): void;
}

/** Who waits for these promises is no faster than the client reads. */
export function channelOver(socket: WebSocket, stream: Duplex): Channel {
  const send = (data: string | Uint8Array, options: { readonly binary: boolean; readonly fin: boolean }) =>
    new Promise<void>((resolve) => {
      // An error means that the client is gone, which the close of the socket tells.
      socket.send(data, options, () => resolve());
    });
  return {
    text: (text) => send(text, { binary: false, fin: true }),
    binary: (bytes) => send(bytes, { binary: true, fin: true }),
    fragments: (parts) =>
      // No other message may come between them, so none is waited for.
      Promise.all(parts.map((part, index) => send(part, { binary: false, fin: index === parts.length - 1 }))).then(
        () => {},
      ),
    raw: (bytes) =>
      new Promise((resolve) => {
        stream.write(bytes, () => resolve());
      }),
    close: (code, reason) => socket.close(code, reason),
    drop: () => socket.terminate(),
  };
}
