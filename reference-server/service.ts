import type { Activity } from './activity.ts';
import type { Backend } from './backends/backend.ts';
import type { Behaviour } from './behaviour.ts';
import type { FetchImage } from './images/fetch-image.ts';
import type { Keyring } from './keys/keyring.ts';
import type { Clock } from './limits/clock.ts';
import type { Limiter } from './limits/limiter.ts';
import type { Watcher } from './operation/watcher.ts';
import type { Phase } from './phase.ts';
import type { Slots } from './slots.ts';
import type { ToolRunner } from './tools/tool-runner.ts';
import type { Webhooks } from './webhooks/webhooks.ts';

/** What the endpoints of one server share. */
export interface Service {
  /** @throws BackendUnavailable while it is loaded, which requests that pass `checkPhase` never see */
  readonly backend: Backend;
  readonly phase: Phase;
  /** Requests and sockets that are open. */
  readonly activity: Activity;
  readonly slots: Slots;
  /** Told of what happens. */
  readonly watch: Required<Watcher>;
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
  /** How long a client's connection may take nothing more of what is sent, in milliseconds. */
  readonly sendTimeoutMs: number;
  /** Told of every error that is the server's own. */
  readonly onFault: (error: unknown) => void;
}
