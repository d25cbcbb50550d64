import type { BodyPiece, Exchange, Failure } from '../specs/evidence.ts';
import { decodeBody } from './body.ts';
import { looksLikeEvents, parseEvents, type StreamEvent } from './events.ts';
import { messagesOf, type SocketMessage } from './socket.ts';

/** An exchange as judgements read it. Everything here follows from the recorded bytes alone. */
export interface Reply {
  readonly exchange: Exchange;
  readonly failure: Failure | undefined;
  /** 0 where no status line arrived. */
  readonly status: number;
  /** The first header of that name, in any case. */
  header(name: string): string | undefined;
  readonly mediaType: string;
  /** The body is server-sent events by its bytes, or by its label where the bytes are not one JSON value. */
  readonly isStream: boolean;
  /** The body as text, decoded and decompressed. */
  readonly text: string;
  /** Why the body is not valid UTF-8 text, where it is not. */
  readonly bodyProblem: string | undefined;
  /** The parsed body; `undefined` where it is a stream or not JSON. */
  readonly json: unknown;
  /** The events of a stream; empty for any other body. */
  readonly events: readonly StreamEvent[];
  /** What went over a socket, of both sides; empty where none was opened. */
  readonly messages: readonly SocketMessage[];
}

/** The governor and the probe read the same exchange. */
const known = new WeakMap<Exchange, Reply>();

export function readReply(exchange: Exchange): Reply {
  const reply = known.get(exchange) ?? read(exchange);
  known.set(exchange, reply);
  return reply;
}

function read(exchange: Exchange): Reply {
  const { status = 0, headers = [], pieces = [] } = exchange.response ?? {};
  const header = (name: string) => headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
  const mediaType = (header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const coding = header('content-encoding');
  const { text, problem } = decodeBody(pieces, coding);
  const json = problem === undefined ? parseJson(text) : undefined;
  const isStream = json === undefined && (mediaType === 'text/event-stream' || looksLikeEvents(text));
  return {
    exchange,
    failure: exchange.failure,
    status,
    header,
    mediaType,
    isStream,
    text,
    bodyProblem: problem,
    json,
    events: isStream ? parseEvents(coding === undefined ? pieces : unpacked(pieces, text)) : [],
    messages: exchange.socket ? messagesOf(exchange.socket) : [],
  };
}

/** Compressed pieces cannot be told apart after unpacking: all events then have the time of the last. */
function unpacked(pieces: readonly BodyPiece[], text: string): BodyPiece[] {
  return [{ at: pieces.at(-1)?.at ?? 0, text }];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
