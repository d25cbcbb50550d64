import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { systemClock } from '../transport/clock.ts';
import { BadSettings } from '../transport/wire.ts';

/** One delivery as it came, before anything is masked. */
export interface RawDelivery {
  /** Milliseconds of the clock and Unix milliseconds of the moment when the whole request had come. */
  readonly at: number;
  readonly time: number;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly bytes: Buffer;
  readonly answered: number;
}

/** Takes in webhooks. */
export interface WebhookListener {
  /** What the target's webhook_url is to be. */
  readonly url: string;
  /** Emits each in the order of arrival. */
  readonly arrivals: EventEmitter<{ delivery: [RawDelivery] }>;
  /** Answers the next delivery with 503. */
  refuseNext(): void;
  close(): Promise<void>;
}

/** Whoever finds the port by chance does not find this. */
const path = '/stack29-webhook';
/** A payload is some hundred bytes, and a run keeps what comes: whatever anyone sends, it stays within these. */
const bodyLimit = 1024 * 1024;
const mostBytes = 64 * bodyLimit;
const mostDeliveries = 5_000;
const connections = 256;

/** @throws BadSettings where the address cannot be listened on */
export async function openWebhookListener(host: string, port: number, clock = systemClock): Promise<WebhookListener> {
  const arrivals: WebhookListener['arrivals'] = new EventEmitter();
  let bytesTaken = 0;
  let taken = 0;
  let refuse = false;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', rawHeaders } = request;
    // A look at whether anybody is there is no delivery.
    if (url.split('?', 1)[0] !== path) return void response.writeHead(404).end();
    if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return void response.writeHead(204).end();
    const bytes = await read(request);
    if (bytes === undefined) return void response.writeHead(413, { connection: 'close' }).end();
    bytesTaken += bytes.length;
    taken += 1;
    if (bytesTaken > mostBytes || taken > mostDeliveries) return void response.writeHead(503).end();
    const answered = refuse ? 503 : 200;
    refuse = false;
    const headers = Array.from(
      { length: rawHeaders.length / 2 },
      (_, pair) => [rawHeaders[2 * pair] ?? '', rawHeaders[2 * pair + 1] ?? ''] as const,
    );
    response.writeHead(answered).end();
    arrivals.emit('delivery', {
      at: clock.elapsed(),
      time: clock.now(),
      method,
      path: url,
      headers,
      bytes,
      answered,
    });
  }

  const server = createServer({ requestTimeout: 30_000, keepAliveTimeout: 5_000 }, (request, response) => {
    // A sender that leaves in the middle has delivered nothing.
    take(request, response).catch(() => response.destroy());
  });
  server.maxConnections = connections;
  try {
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    throw new BadSettings(`--webhook-listen ${host}:${port} cannot be listened on: ${wordsOf(error)}`);
  }
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${nameOf(host)}:${bound}${path}`,
    arrivals,
    refuseNext() {
      refuse = true;
    },
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** `listen EADDRINUSE: address already in use 127.0.0.1:80` without the call and the address. */
function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^listen [A-Z]+: (.*) \S+$/.exec(message)?.[1] ?? message;
}

/** The body; `undefined` where it is too long. */
async function read(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > bodyLimit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An address that stands for all of this machine's is no address to send to. */
function nameOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return hostname();
  return host.includes(':') ? `[${host}]` : host;
}
