import type { Wording } from '../engine/job.ts';
import { type KeyPlace, keyPlaces } from '../engine/socket-key.ts';
import { chatWords } from '../tier/chat-words.ts';
import { type SocketAnswer, socketAnswer, UntimedFlight } from '../tier/socket-answer.ts';
import { settings } from './settings.ts';
import { askOverSocket } from './socket.ts';

const timeoutSeconds = 30;

/** Where a target reads the key of a WebSocket, and what came of the chat that found it out. */
export interface FoundPlace {
  readonly place: KeyPlace;
  readonly answer: SocketAnswer;
}

/** Finds out where the target reads the key of a WebSocket, by at most one short chat a place. */
export async function findKeyPlace(wording: Wording): Promise<FoundPlace | undefined> {
  if (settings.key === undefined || (wording.workload.transports.websocket ?? 0) === 0) return undefined;
  for (const place of keyPlaces) {
    const flight = new UntimedFlight();
    const ending = await askOverSocket({ ...wording, keyPlace: place }, chatWords(1), flight, timeoutSeconds);
    const answer = socketAnswer(ending, flight);
    // A limit is that of a key that was read.
    if (answer.status !== 0) return { place, answer };
  }
  return undefined;
}
