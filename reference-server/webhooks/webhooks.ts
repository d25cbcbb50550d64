import type { WebhookPayload } from '../../specs/wire.ts';
import type { Exchange } from '../admission.ts';
import type { Behaviour } from '../behaviour.ts';
import type { Clock } from '../limits/clock.ts';
import type { DeliveryOutcome } from '../operation/watcher.ts';
import { Courier } from './courier.ts';
import type { WebhookTarget } from './target.ts';

interface WebhookSettings {
  readonly behaviour: Required<Behaviour>;
  readonly firstRetryMs: number;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
  /** Told how each delivery ended. */
  readonly onDelivery: (outcome: DeliveryOutcome) => void;
}

/** Tells the webhooks of accounts what happens to their chats. Nothing is delivered where nothing is configured. */
export class Webhooks {
  readonly #fallback: WebhookTarget | undefined;
  readonly #settings: WebhookSettings;
  readonly #couriers = new Map<WebhookTarget, Courier>();

  /** @param fallback the webhook of accounts that have none of their own */
  constructor(fallback: WebhookTarget | undefined, settings: WebhookSettings) {
    this.#fallback = fallback;
    this.#settings = settings;
  }

  /** Deliveries that wait or are under way. */
  get waiting(): number {
    return [...this.#couriers.values()].reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** Returns at once, and never throws: a delivery is nobody's wait. */
  tell(exchange: Exchange, payload: WebhookPayload): void {
    const target = exchange.account.webhook ?? this.#fallback;
    if (!target?.events.includes(payload.event)) return;
    const courier = this.#courierTo(target);
    for (const told of this.#settings.behaviour.tell(payload, exchange)) courier.take(told, exchange.id);
  }

  #courierTo(target: WebhookTarget): Courier {
    const { behaviour, ...settings } = this.#settings;
    const known = this.#couriers.get(target);
    if (known) return known;
    const courier = new Courier(target, { deliver: behaviour.deliver, ...settings });
    this.#couriers.set(target, courier);
    return courier;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#couriers.values()].map((courier) => courier.close()));
  }
}
