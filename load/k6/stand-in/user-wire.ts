import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { WireMessage, WireRequest, WireResponse } from './protocol.ts';

/** A user's way to the network: it blocks the whole user, as k6's own does, or gives a promise. */
export class UserWire {
  readonly #blocking: MessagePort;
  readonly #asynchronous: MessagePort;
  readonly #waiting = new Map<number, (response: WireResponse) => void>();
  #sent = 0;

  constructor(blocking: MessagePort, asynchronous: MessagePort) {
    this.#blocking = blocking;
    this.#asynchronous = asynchronous;
    asynchronous.on('message', ({ id, response }: { id: number; response: WireResponse }) => {
      this.#waiting.get(id)?.(response);
      this.#waiting.delete(id);
    });
  }

  /** Nothing else of the user runs until the answer is there. @param onEvent of an event stream, as each arrives */
  block(request: WireRequest, onEvent: (data: string) => void = () => {}): WireResponse {
    const signal = new SharedArrayBuffer(4);
    const arrived = new Int32Array(signal);
    this.#blocking.postMessage({ request, signal });
    for (let seen = 0; ; seen += 1) {
      // The wake-up for one message may come only once that was read, and ends the wait for the next.
      while (Atomics.load(arrived, 0) === seen) Atomics.wait(arrived, 0, seen);
      const message: WireMessage | undefined = receiveMessageOnPort(this.#blocking)?.message;
      if (message === undefined) throw new Error('the wire said something that did not arrive');
      if (message.type === 'response') return message;
      onEvent(message.data);
    }
  }

  send(request: WireRequest): Promise<WireResponse> {
    this.#sent += 1;
    const id = this.#sent;
    this.#asynchronous.postMessage({ request, id });
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }
}
