import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

/** A response as it goes onto the socket. */
export interface Outgoing {
  readonly status: number;
  /** Names are sent as they are spelled here. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AsyncIterable<string | Uint8Array>;
}

/** Bytes, or characters, that are written at once: of how many a client has taken nobody is told before it has all. */
const pieceLength = 65_536;

/**
 * Sends a response, no faster than the client reads it. A body that throws ends the connection in its middle; a client
 * that goes away ends the body.
 */
export async function sendOutgoing(response: ServerResponse, { status, headers, body }: Outgoing): Promise<void> {
  response.writeHead(status, headers);
  if (typeof body === 'string' && body.length <= pieceLength) {
    response.end(body);
    return;
  }
  // Both ways to fail leave nobody to tell: pipeline has closed the connection.
  await pipeline(typeof body === 'string' ? piecesOf(body) : body, response).catch(() => {});
}

function* piecesOf(body: string): Generator<Uint8Array> {
  const bytes = Buffer.from(body);
  for (let begin = 0; begin < bytes.length; begin += pieceLength) yield bytes.subarray(begin, begin + pieceLength);
}
