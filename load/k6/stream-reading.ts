import { addContent, addUsage, type Ending, type FailureKind, type Flight, parseObject } from './flight.ts';

/** What the events of a stream tell. */
export class StreamReading {
  readonly #flight: Flight;
  #isDone = false;
  #problem: FailureKind | undefined;

  constructor(flight: Flight) {
    this.#flight = flight;
  }

  /** Reads a stream whose events have no times. An event that no empty line ends is none. */
  whole(text: string): void {
    for (const event of text.split(/\r\n\r\n|\n\n|\r\r/).slice(0, -1)) {
      const lines = event.split(/\r\n|\n|\r/).flatMap((line) => /^data: ?(.*)$/.exec(line)?.[1] ?? []);
      if (lines.length > 0) this.event(lines.join('\n'), undefined);
    }
  }

  /** @param at when it came, where that is known */
  event(data: string, at: number | undefined): void {
    if (data === '[DONE]') {
      this.#isDone = true;
      return;
    }
    const chunk = parseObject(data);
    if (chunk === undefined) {
      this.#problem ??= 'event is not JSON';
      return;
    }
    if (chunk.error) this.#problem ??= 'error in the stream';
    if (chunk.usage) addUsage(this.#flight, chunk.usage);
    const [choice]: readonly unknown[] = Array.isArray(chunk.choices) ? chunk.choices : [];
    const { delta, finish_reason: finishReason } = Object(choice);
    const { content, tool_calls: calls } = Object(delta);
    if ((typeof content === 'string' && content !== '') || (Array.isArray(calls) && calls.length > 0)) {
      if (at === undefined) this.#flight.pieces += 1;
      else addContent(this.#flight, at);
    }
    if (finishReason) this.#isDone = true;
  }

  ending(): Ending {
    if (this.#problem !== undefined) return { failed: this.#problem };
    return this.#isDone ? 'succeeded' : { failed: 'stream ended early' };
  }
}
