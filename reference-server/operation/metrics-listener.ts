import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

export interface MetricsListener {
  readonly url: string;
  close(): void;
}

/**
 * Gives metrics to whoever asks, on a port of their own: no key opens it and no limit counts it, so that it can be kept
 * from the clients of the API and still answers when these are refused.
 * @throws the system's error where the address cannot be listened on
 */
export async function listenForMetrics(
  metrics: Metrics,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<MetricsListener> {
  const server = createServer(({ method = '', url = '' }, response) => {
    if (url.split('?', 1)[0] !== '/metrics') return void response.writeHead(404).end('metrics are at /metrics\n');
    if (!['GET', 'HEAD'].includes(method)) return void response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    metrics.read().then(
      ({ text, mediaType }) => response.writeHead(200, { 'Content-Type': mediaType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await once(server.listen(port, host), 'listening');
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}/metrics`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
