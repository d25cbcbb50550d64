import type { Wording } from '../engine/job.ts';
import { type KeyPlace, keyPlaces } from '../engine/socket-key.ts';
import { askFor } from '../engine/wording.ts';
import { openFlight } from './flight.ts';
import { settings } from './settings.ts';
import { askOverSocket } from './socket.ts';

const timeoutSeconds = 30;

/** Finds out where the target reads the key of a WebSocket, by at most one short chat a place. */
export async function findKeyPlace(wording: Wording): Promise<KeyPlace | undefined> {
  if (settings.key === undefined || (wording.workload.transports.websocket ?? 0) === 0) return undefined;
  const ask = { ...askFor(wording, Math.random), maxTokens: 1 };
  for (const keyPlace of keyPlaces) {
    const ending = await askOverSocket({ ...wording, keyPlace }, ask, openFlight(Date.now(), false), timeoutSeconds);
    // A limit is that of a key that was read.
    if (ending === 'succeeded' || ending === 'limited') return keyPlace;
  }
  return undefined;
}
