import type { Backend } from './backends/backend.ts';
import type { Behaviour } from './behaviour.ts';
import type { FetchImage } from './images/fetch-image.ts';
import type { Keyring } from './keys/keyring.ts';
import type { Clock } from './limits/clock.ts';
import type { Limiter } from './limits/limiter.ts';
import type { ToolRunner } from './tools/tool-runner.ts';
import type { Webhooks } from './webhooks/webhooks.ts';

/** What the endpoints of one server share. */
export interface Service {
  readonly backend: Backend;
  readonly keyring: Keyring;
  readonly limiter: Limiter;
  readonly clock: Clock;
  /** Whether requests may ask for a failure. */
  readonly allowFaults: boolean;
  readonly behaviour: Required<Behaviour>;
  /** Gets images by URL; absent where the server fetches nothing. */
  readonly fetchImage: FetchImage | undefined;
  readonly webhooks: Webhooks;
  /** Runs calls that are the server's own; absent where every call is left to the client. */
  readonly tools: ToolRunner | undefined;
  /** Told of every error that is the server's own. */
  readonly onFault: (error: unknown) => void;
}
