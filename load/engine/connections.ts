import { Client, type Dispatcher } from 'undici';
import type { Endpoint } from './job.ts';

/**
 * HTTP/1.1 connections, of which each carries one request at a time: the connection that was free last is used first,
 * and a new one is opened where none is free, so that no request waits for another.
 */
export class Connections {
  readonly #origin: string;
  readonly #options: Client.Options;
  readonly #free: Client[] = [];
  readonly #all = new Set<Client>();

  constructor({ url, ca, insecure }: Endpoint) {
    this.#origin = new URL(url).origin;
    this.#options = {
      pipelining: 1,
      // The engine keeps time itself.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { rejectUnauthorized: !insecure, ...(ca !== undefined && { ca }), timeout: 0 },
    };
  }

  /** Connections so far, which is the most that were in use at a time. */
  get count(): number {
    return this.#all.size;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): Client {
    const client = this.#free.pop() ?? this.#open();
    client.dispatch(options, handler);
    return client;
  }

  /** Gives a connection back whose request has ended. */
  release(client: Client): void {
    this.#free.push(client);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((client) => client.destroy()));
  }

  #open(): Client {
    const client = new Client(this.#origin, this.#options);
    this.#all.add(client);
    return client;
  }
}
