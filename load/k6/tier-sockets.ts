import { clearTimeout, setTimeout } from 'k6/timers';
import type { Wording } from '../engine/job.ts';
import type { Ask } from '../engine/wording.ts';
import { type SocketAnswer, socketAnswer, socketStatus, UntimedFlight } from '../tier/socket-answer.ts';
import type { Ending } from './flight.ts';
import { askOverSocket, dial } from './socket.ts';

type Words = Pick<Ask, 'messages' | 'maxTokens'>;

/** A chat that was begun over a socket. */
export interface OpenChat {
  /** Settles with its first piece, or its end, with the status that it has then. */
  readonly begun: Promise<number>;
  /** Whether it was admitted, and has ended since. */
  isOver(): boolean;
  leave(): void;
}

/** Chats over WebSockets, as the checks of a tier have them. */
export class TierSockets {
  readonly #wording: Wording;
  readonly #timeoutSeconds: number;

  constructor(wording: Wording, timeoutSeconds: number) {
    this.#wording = wording;
    this.#timeoutSeconds = timeoutSeconds;
  }

  /** A whole chat on a socket of its own. */
  async chat(words: Words): Promise<SocketAnswer> {
    const flight = new UntimedFlight();
    return socketAnswer(await askOverSocket(this.#wording, words, flight, this.#timeoutSeconds), flight);
  }

  /** Chats on one socket, one after the other, until one is not answered. */
  series(words: Words, count: number): Promise<SocketAnswer[]> {
    return new Promise((resolve) => {
      const answers: SocketAnswer[] = [];
      let flight = new UntimedFlight();
      let isOver = false;
      const end = (ending: Ending) => {
        if (isOver) return;
        answers.push(socketAnswer(ending, flight));
        flight = new UntimedFlight();
        isOver = ending !== 'succeeded' || answers.length === count;
        if (!isOver) return socket.start(words);
        clearTimeout(timer);
        socket.leave();
        resolve(answers);
      };
      const timer = setTimeout(() => end({ failed: 'timeout' }), this.#timeoutSeconds * 1000 * count);
      const socket = dial(this.#wording, { flight: () => flight, opened: ({ start }) => start(words), ended: end });
    });
  }

  /** Begins a chat on a socket of its own, which is held until it ends or is left. */
  open(words: Words): OpenChat {
    let hasBegun = false;
    let hasEnded = false;
    let tell = (_status: number) => {};
    const begun = new Promise<number>((resolve) => {
      tell = resolve;
    });
    const flight = new UntimedFlight(() => {
      hasBegun = true;
      tell(200);
    });
    const socket = dial(this.#wording, {
      flight: () => flight,
      opened: ({ start }) => start(words),
      ended(ending) {
        hasEnded = true;
        tell(socketStatus(ending));
        socket.leave();
      },
    });
    return { begun, isOver: () => hasBegun && hasEnded, leave: socket.leave };
  }
}
