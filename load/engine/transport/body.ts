import { StringDecoder } from 'node:string_decoder';
import { createParser, type EventSourceParser } from 'eventsource-parser';
import type { Ending, Flight } from '../flight.ts';
import { readCompletion, StreamEvents } from '../reading.ts';

/** Reads the body of an answer as it arrives. */
export interface BodyReader {
  read(chunk: Buffer): void;
  /** The body ended by itself. */
  end(): Ending;
}

/** Server-sent events. */
export class StreamReader implements BodyReader {
  readonly #events: StreamEvents;
  readonly #decoder = new StringDecoder('utf8');
  readonly #parser: EventSourceParser;
  /** When the bytes that are being read arrived. */
  #now = 0;

  constructor(flight: Flight) {
    this.#events = new StreamEvents(flight);
    this.#parser = createParser({ onEvent: ({ data }) => this.#events.event(data, this.#now) });
  }

  read(chunk: Buffer): void {
    this.#now = performance.now();
    this.#parser.feed(this.#decoder.write(chunk));
  }

  end(): Ending {
    return this.#events.ending();
  }
}

/** One JSON body. */
export class JsonReader implements BodyReader {
  readonly #flight: Flight;
  readonly #chunks: Buffer[] = [];

  constructor(flight: Flight) {
    this.#flight = flight;
  }

  read(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  end(): Ending {
    const [first] = this.#chunks;
    const bytes = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    return readCompletion(bytes.toString(), this.#flight);
  }
}
