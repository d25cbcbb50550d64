import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** A target that a test makes from single bytes. */
export interface TcpTarget {
  readonly url: string;
  /** What each connection sent so far. */
  readonly received: readonly string[];
  /** Bytes that went out to all connections so far. */
  written(): number;
  close(): Promise<void>;
}

/** @param answer is called once a connection, when its first bytes have arrived */
export async function openTcpTarget(answer: (socket: Socket) => void, secure?: Server): Promise<TcpTarget> {
  const server = secure ?? createServer();
  const sockets: Socket[] = [];
  const received: string[] = [];
  server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
    const index = sockets.push(socket) - 1;
    received.push('');
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      received[index] += bytes.toString('latin1');
    });
    socket.once('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port was bound');
  return {
    url: `${secure ? 'https' : 'http'}://127.0.0.1:${address.port}/v1`,
    received,
    written: () => sockets.reduce((total, { bytesWritten }) => total + bytesWritten, 0),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
