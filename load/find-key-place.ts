import type { Endpoint, Wording } from './engine/job.ts';
import { randomFrom } from './engine/random.ts';
import { type KeyPlace, keyPlaces } from './engine/socket-key.ts';
import { promptOf } from './engine/wording.ts';
import { SocketChats } from './socket-chats.ts';
import type { SocketAnswer } from './tier/socket-answer.ts';

const timeoutMs = 30_000;

/** Where a target reads the key of a WebSocket, and what came of the chat that found it out. */
export interface FoundPlace {
  readonly place: KeyPlace;
  readonly answer: SocketAnswer;
}

/** Finds out where the target reads the key of a WebSocket, by at most one short chat a place. */
export async function findKeyPlace(
  endpoint: Endpoint,
  wording: Wording,
  signal: AbortSignal,
): Promise<FoundPlace | undefined> {
  if (endpoint.key === undefined || (wording.workload.transports.websocket ?? 0) === 0) return undefined;
  for (const place of keyPlaces) {
    signal.throwIfAborted();
    const answer = await answerTo(endpoint, { ...wording, keyPlace: place }, signal);
    // A limit is that of a key that was read.
    if (answer.status !== 0) return { place, answer };
  }
  return undefined;
}

async function answerTo(endpoint: Endpoint, wording: Wording, signal: AbortSignal): Promise<SocketAnswer> {
  const chats = new SocketChats(endpoint, wording, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
  const words = { messages: [{ role: 'user', content: promptOf(8, randomFrom(29)) }], maxTokens: 1 } as const;
  try {
    return await chats.chat(words);
  } catch {
    signal.throwIfAborted();
    return { status: 0, tokens: undefined };
  } finally {
    await chats.close();
  }
}
