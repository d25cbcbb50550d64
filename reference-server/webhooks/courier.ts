import { createHmac, randomUUID } from 'node:crypto';
import PQueue from 'p-queue';
import pRetry, { AbortError } from 'p-retry';
import { request } from 'undici';
import type { WebhookPayload } from '../../specs/wire.ts';
import type { Clock } from '../limits/clock.ts';
import type { DeliveryOutcome } from '../operation/watcher.ts';
import { timeLimit } from '../time-limit.ts';
import type { WebhookTarget } from './target.ts';

/** A delivery as it goes onto the socket. */
export interface OutgoingDelivery {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How often it is tried at most. */
  readonly attempts: number;
}

export interface CourierSettings {
  /** The last word on what is sent. */
  readonly deliver: (delivery: OutgoingDelivery) => OutgoingDelivery;
  readonly firstRetryMs: number;
  readonly clock: Clock;
  /** Told of deliveries that were given up. */
  readonly onFault: (error: unknown) => void;
  /** Told how each delivery ended. */
  readonly onDelivery: (outcome: DeliveryOutcome) => void;
}

/** A delivery that nobody took. */
export class Undelivered extends Error {}

const attempts = 6;
const attemptTimeoutMs = 10_000;
const longestRetryMs = 60_000;
/** Deliveries that wait for a webhook; what comes on top is dropped, so that one that is down takes no memory. */
const longestQueue = 1_000;
const closeTimeoutMs = 2_000;

/**
 * Delivers to one webhook, in order and one at a time, beside everything else that the server does. What fails is tried
 * again after a time that doubles with each attempt and that chance stretches; a refusal that will last is given up at
 * once. Signed as Standard Webhooks says where the target has a secret.
 */
export class Courier {
  readonly #target: WebhookTarget;
  readonly #settings: CourierSettings;
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #abort = new AbortController();

  constructor(target: WebhookTarget, settings: CourierSettings) {
    this.#target = target;
    this.#settings = settings;
  }

  /** Deliveries that wait or are under way. */
  get waiting(): number {
    return this.#queue.size + this.#queue.pending;
  }

  /** Takes a payload to be delivered; returns at once. @param requestId the request that it came of */
  take(payload: WebhookPayload, requestId: string): void {
    const { onFault, onDelivery } = this.#settings;
    if (this.#queue.size >= longestQueue) {
      this.#drop(1, `${payload.event} was dropped: ${longestQueue} deliveries already wait for its webhook`);
      return;
    }
    this.#queue
      .add(() => this.#send(payload, requestId))
      .then(() => onDelivery('delivered'))
      .catch((error) => {
        onDelivery('failed');
        onFault(error);
      });
  }

  #drop(deliveries: number, words: string): void {
    const { onFault, onDelivery } = this.#settings;
    for (let count = 0; count < deliveries; count += 1) onDelivery('dropped');
    onFault(new Undelivered(words));
  }

  async #send(payload: WebhookPayload, requestId: string): Promise<void> {
    const { deliver, firstRetryMs } = this.#settings;
    const id = `msg_${randomUUID()}`;
    const body = JSON.stringify(payload);
    // Signed anew for each attempt: the signature covers the time, and receivers refuse old ones.
    const headers = () => ({ ...this.#headers(id, body), 'X-Request-Id': requestId });
    const outgoing = () => deliver({ method: 'POST', headers: headers(), body, attempts });
    try {
      await pRetry(() => this.#attempt(outgoing()), {
        retries: outgoing().attempts - 1,
        minTimeout: firstRetryMs,
        maxTimeout: longestRetryMs,
        randomize: true,
        signal: this.#abort.signal,
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Undelivered(`${payload.event} could not be delivered to ${new URL(this.#target.url).host}: ${reason}`);
    }
  }

  async #attempt({ method, headers, body }: OutgoingDelivery): Promise<void> {
    const limit = timeLimit(attemptTimeoutMs, this.#abort.signal);
    const status = await request(this.#target.url, { method, headers, body, signal: limit.signal })
      .then(async (answer) => {
        await answer.body.dump();
        return answer.statusCode;
      })
      .finally(limit.end);
    if (status >= 200 && status < 300) return;
    const lasts = status >= 400 && status < 500 && ![408, 425, 429].includes(status);
    const message = `it answered with ${status}`;
    throw lasts ? new AbortError(message) : new Error(message);
  }

  #headers(id: string, body: string): Record<string, string> {
    const timestamp = String(Math.floor(this.#settings.clock() / 1000));
    const headers = { 'Content-Type': 'application/json', 'webhook-id': id, 'webhook-timestamp': timestamp };
    const { secret } = this.#target;
    if (secret === undefined) return headers;
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const digest = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    return { ...headers, 'webhook-signature': `v1,${digest}` };
  }

  /** Lets what is under way be delivered, for two seconds at most, and gives up the rest. */
  async close(): Promise<void> {
    const timer = setTimeout(() => {
      const waiting = this.#queue.size;
      this.#queue.clear();
      this.#abort.abort(new Undelivered('the server ended'));
      if (waiting > 0) this.#drop(waiting, `${waiting} more deliveries were dropped: the server ended`);
    }, closeTimeoutMs);
    await this.#queue.onIdle();
    clearTimeout(timer);
  }
}
