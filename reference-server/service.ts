import type { Backend } from './backends/backend.ts';
import type { Behaviour } from './behaviour.ts';
import type { Keyring } from './keys/keyring.ts';
import type { Clock } from './limits/clock.ts';
import type { Limiter } from './limits/limiter.ts';

/** What the endpoints of one server share. */
export interface Service {
  readonly backend: Backend;
  readonly keyring: Keyring;
  readonly limiter: Limiter;
  readonly clock: Clock;
  /** Whether requests may ask for a failure. */
  readonly allowFaults: boolean;
  readonly behaviour: Required<Behaviour>;
  /** Told of every error that is the server's own. */
  readonly onFault: (error: unknown) => void;
}
