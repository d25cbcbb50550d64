import { ApiError } from './api-error.ts';

const reasons = {
  loading: 'the model is being loaded',
  serving: undefined,
  draining: 'the server is about to end',
} as const;

/** Whether a server takes requests now; each phase leads to the next. */
export class Phase {
  #name: keyof typeof reasons = 'loading';

  get name() {
    return this.#name;
  }

  /** Why no request is taken; `undefined` where they are. */
  get refusal(): ApiError | undefined {
    const reason = reasons[this.#name];
    return reason && unavailable(reason);
  }

  serve(): void {
    if (this.#name === 'loading') this.#name = 'serving';
  }

  drain(): void {
    this.#name = 'draining';
  }
}

/**
 * Refuses for the time being what the service itself cannot do, whoever asks.
 * @param backInMs after so long it likely can; where nobody knows, to ask again each second costs little
 */
export function unavailable(reason: string, backInMs = 0): ApiError {
  const seconds = Math.max(1, Math.ceil(backInMs / 1000));
  const when = backInMs > 0 ? `in ${seconds} s` : 'in a moment';
  return new ApiError('service_unavailable', `${reason}: try again ${when}`, {
    headers: { 'Retry-After': String(seconds) },
  });
}
