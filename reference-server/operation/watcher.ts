import type { Exchange } from '../admission.ts';
import type { ErrorCode } from '../api-error.ts';

/** Why a request or a chat is refused that is right by itself. */
export const refusalReasons = [
  ...(['requests', 'tokens', 'concurrency', 'queue'] as const),
  /** The limits cannot be counted. */
  'store',
  /** The model is loaded for the first time. */
  'loading',
  /** The process of the model starts again after a crash. */
  'restarting',
  'draining',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

export const transports = ['json', 'sse', 'websocket'] as const;
export type Transport = (typeof transports)[number];

/** A chat while it is answered, and after. Times are those of `performance.now()`. */
export interface Chat {
  readonly id: string;
  readonly transport: Transport;
  /** Of all rounds together, once it is at its end. */
  promptTokens: number;
  /** Of an answer that is not at its end, the pieces that were made. */
  completionTokens: number;
  firstTokenAt: number | undefined;
  endedAt: number | undefined;
  /** How it ended; until then it counts as one whose client left. */
  outcome: 'stop' | 'length' | 'tool_calls' | 'aborted' | 'error';
}

/** How a delivery to a webhook ended: `dropped` was never tried. */
export const deliveryOutcomes = ['delivered', 'failed', 'dropped'] as const;
export type DeliveryOutcome = (typeof deliveryOutcomes)[number];

/** What is told of a server to who runs it. Nothing of it is what clients said or were answered. */
export interface Watcher {
  requestBegan?(exchange: Exchange): void;
  /** @param status `undefined` where the client left before there was one; 101 for a socket, when it is open */
  requestEnded?(exchange: Exchange, status: number | undefined, whole: boolean): void;
  /** A client took nothing of what was sent to it for so long that its connection is ended. */
  readerCut?(exchange: Exchange): void;
  refused?(reason: RefusalReason): void;
  chatEnded?(exchange: Exchange, chat: Chat): void;
  socketOpened?(exchange: Exchange): void;
  /** An error message goes out on a socket. */
  socketError?(exchange: Exchange, code: ErrorCode): void;
  socketClosed?(exchange: Exchange, code: number): void;
  delivery?(outcome: DeliveryOutcome): void;
}

/** Tells several watchers. */
export function tellAll(watchers: readonly Watcher[]): Required<Watcher> {
  const each = (tell: (watcher: Watcher) => void) => {
    for (const watcher of watchers) tell(watcher);
  };
  return {
    requestBegan: (...facts) => each((watcher) => watcher.requestBegan?.(...facts)),
    requestEnded: (...facts) => each((watcher) => watcher.requestEnded?.(...facts)),
    readerCut: (...facts) => each((watcher) => watcher.readerCut?.(...facts)),
    refused: (...facts) => each((watcher) => watcher.refused?.(...facts)),
    chatEnded: (...facts) => each((watcher) => watcher.chatEnded?.(...facts)),
    socketOpened: (...facts) => each((watcher) => watcher.socketOpened?.(...facts)),
    socketError: (...facts) => each((watcher) => watcher.socketError?.(...facts)),
    socketClosed: (...facts) => each((watcher) => watcher.socketClosed?.(...facts)),
    delivery: (...facts) => each((watcher) => watcher.delivery?.(...facts)),
  };
}
