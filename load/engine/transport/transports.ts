import type { Endpoint, Wording } from '../job.ts';
import type { TransportName } from '../wording.ts';
import { HttpTransport } from './http.ts';
import type { Transport } from './transport.ts';
import { WebSocketTransport } from './websocket.ts';

/** The transports that a workload uses, behind one face: each request goes the way that it names. */
export function openTransports(endpoint: Endpoint, wording: Wording): Transport {
  const http = new HttpTransport(endpoint, wording);
  const webSocket = new WebSocketTransport(endpoint, wording);
  const byName: Readonly<Record<TransportName, Transport>> = { json: http, sse: http, websocket: webSocket };
  return {
    send: (ask, flight, ended) => byName[ask.transport].send(ask, flight, ended),
    get sockets() {
      return http.sockets + webSocket.sockets;
    },
    async close() {
      await Promise.all([http.close(), webSocket.close()]);
    },
  };
}
