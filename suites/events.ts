import { createParser } from 'eventsource-parser';
import type { BodyPiece } from '../specs/evidence.ts';
import { bytesOf } from './body.ts';

/** One server-sent event. */
export interface StreamEvent {
  readonly data: string;
  /** When the piece that completed it arrived, in milliseconds since the run's start. */
  readonly at: number;
  readonly event?: string;
  readonly id?: string;
  /** Present where the stream ended before the blank line that completes an event: browsers would drop it. */
  readonly unterminated?: true;
}

/** The events of a stream, in whatever pieces it came. Bytes that are not UTF-8 become U+FFFD. */
export function parseEvents(pieces: readonly BodyPiece[]): StreamEvent[] {
  const events: StreamEvent[] = [];
  const decoder = new TextDecoder();
  let at = 0;
  let ended = false;
  const parser = createParser({
    onEvent({ data, event, id }) {
      events.push({
        data,
        at,
        ...(event !== undefined && { event }),
        ...(id !== undefined && { id }),
        ...(ended && { unterminated: true }),
      });
    },
  });
  let last = '';
  const feed = (text: string) => {
    parser.feed(text);
    last = text.at(-1) ?? last;
  };
  for (const piece of pieces) {
    at = piece.at;
    feed(decoder.decode(bytesOf(piece), { stream: true }));
  }
  feed(decoder.decode());
  // The parser keeps a last CR back, since an LF that belongs to it might follow.
  if (last === '\r') feed('\n');
  ended = true;
  parser.feed('\n\n');
  return events;
}

/** Whether a body plainly is server-sent events, whatever its label says: its first line is a field or a comment. */
export function looksLikeEvents(text: string): boolean {
  return /^[\r\n]*(?:data|event|id|retry)?:/.test(text);
}
