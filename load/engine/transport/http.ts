import type { Client, Dispatcher } from 'undici';
import { Connections } from '../connections.ts';
import type { Ending, Flight } from '../flight.ts';
import type { Endpoint, Wording } from '../job.ts';
import { type Ask, membersOf } from '../wording.ts';
import { type BodyReader, JsonReader, StreamReader } from './body.ts';
import { endingOfStatus, failureOf, type Transport } from './transport.ts';

/** The chat endpoint over HTTP: one JSON body, or server-sent events. */
export class HttpTransport implements Transport {
  readonly #connections: Connections;
  readonly #wording: Wording;
  readonly #path: string;
  readonly #headers: string[];

  constructor(endpoint: Endpoint, wording: Wording, connections = new Connections(endpoint)) {
    this.#connections = connections;
    this.#wording = wording;
    this.#path = `${new URL(endpoint.url).pathname.replace(/\/$/, '')}/chat/completions`;
    this.#headers = Object.entries({
      'content-type': 'application/json',
      ...(endpoint.key !== undefined && { authorization: `Bearer ${endpoint.key}` }),
      ...endpoint.headers,
    }).flat();
  }

  get sockets(): number {
    return this.#connections.count;
  }

  send(ask: Ask, flight: Flight, ended: (ending: Ending) => void): (ending: Ending) => void {
    const isStream = ask.transport === 'sse';
    const body = JSON.stringify({
      ...membersOf(this.#wording, ask),
      ...(isStream && { stream: true, ...(this.#wording.askUsage && { stream_options: { include_usage: true } }) }),
    });
    const handler = new Exchange(flight, isStream ? new StreamReader(flight) : new JsonReader(flight), (ending) => {
      this.#connections.release(client);
      ended(ending);
    });
    const client: Client = this.#connections.dispatch(
      { method: 'POST', path: this.#path, headers: this.#headers, body },
      handler,
    );
    return handler.end;
  }

  close(): Promise<void> {
    return this.#connections.close();
  }
}

/** Follows one request on its connection. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #flight: Flight;
  readonly #reader: BodyReader;
  readonly #ended: (ending: Ending) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #ending: Ending | undefined;
  #isOver = false;

  constructor(flight: Flight, reader: BodyReader, ended: (ending: Ending) => void) {
    this.#flight = flight;
    this.#reader = reader;
    this.#ended = ended;
  }

  /** Ends the request at once. */
  readonly end = (ending: Ending): void => {
    this.#ending ??= ending;
    // Before its connection stands there is nothing to abort: it is when that is ready.
    if (this.#controller === undefined) this.#finish(this.#ending);
    else this.#controller.abort(new Error('ended by the engine'));
  };

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new Error('ended by the engine'));
    else this.#flight.sent = performance.now();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#status === 200) this.#reader.read(chunk);
  }

  onResponseEnd(): void {
    this.#finish(this.#status === 200 ? this.#reader.end() : endingOfStatus(this.#status));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#finish(this.#ending ?? failureOf(error));
  }

  #finish(ending: Ending): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ended(ending);
  }
}
