import type { Exchange, Failure } from '../specs/evidence.ts';
import { decodeBody } from './body.ts';
import { parseEvents, type StreamEvent } from './events.ts';

/** An exchange as judgements read it. Everything here follows from the recorded bytes alone. */
export interface Reply {
  readonly exchange: Exchange;
  readonly failure: Failure | undefined;
  /** 0 where no status line arrived. */
  readonly status: number;
  /** The first header of that name, in any case. */
  header(name: string): string | undefined;
  readonly mediaType: string;
  readonly isStream: boolean;
  /** The body as text, decoded and decompressed. */
  readonly text: string;
  /** Why the body is not valid UTF-8 text, where it is not. */
  readonly bodyProblem: string | undefined;
  /** The parsed body; `undefined` where it is a stream or not JSON. */
  readonly json: unknown;
  /** The events of a stream; empty for any other body. */
  readonly events: readonly StreamEvent[];
}

export function readReply(exchange: Exchange): Reply {
  const headers = exchange.response?.headers ?? [];
  const header = (name: string) => headers.find(([key]) => key.toLowerCase() === name)?.[1];
  const mediaType = (header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const isStream = mediaType === 'text/event-stream';
  const { text, problem } = decodeBody(exchange.response?.pieces ?? [], header('content-encoding'));
  return {
    exchange,
    failure: exchange.failure,
    status: exchange.response?.status ?? 0,
    header,
    mediaType,
    isStream,
    text,
    bodyProblem: problem,
    json: isStream || problem !== undefined ? undefined : parseJson(text),
    events: isStream ? parseEvents(text) : [],
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
