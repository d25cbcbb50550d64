import { Flight } from './engine/flight.ts';
import type { Endpoint, Wording } from './engine/job.ts';
import { randomFrom } from './engine/random.ts';
import { type KeyPlace, keyPlaces } from './engine/socket-key.ts';
import { WebSocketTransport } from './engine/transport/websocket.ts';
import { type Ask, promptOf } from './engine/wording.ts';

const timeoutMs = 30_000;

/** Finds out where the target reads the key of a WebSocket, by at most one short chat a place. */
export async function findKeyPlace(
  endpoint: Endpoint,
  wording: Wording,
  signal: AbortSignal,
): Promise<KeyPlace | undefined> {
  if (endpoint.key === undefined || (wording.workload.transports.websocket ?? 0) === 0) return undefined;
  for (const place of keyPlaces) {
    signal.throwIfAborted();
    if (await isTaken(endpoint, { ...wording, keyPlace: place }, signal)) return place;
  }
  return undefined;
}

async function isTaken(endpoint: Endpoint, wording: Wording, signal: AbortSignal): Promise<boolean> {
  const transport = new WebSocketTransport(endpoint, wording);
  const ask: Ask = {
    transport: 'websocket',
    messages: [{ role: 'user', content: promptOf(8, randomFrom(29)) }],
    maxTokens: 1,
  };
  const now = performance.now();
  const over = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return await new Promise((resolve) => {
      // A limit is that of a key that was read.
      const end = transport.send(ask, new Flight(now, now, false, () => {}), (ending) =>
        resolve(ending === 'succeeded' || ending === 'limited'),
      );
      over.addEventListener('abort', () => end('unfinished'));
    });
  } finally {
    await transport.close();
  }
}
