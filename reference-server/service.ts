import type { Backend } from './backends/backend.ts';
import type { Behaviour } from './behaviour.ts';
import type { Keyring } from './keys/keyring.ts';
import type { Limiter } from './limits/limiter.ts';
import type { Webhooks } from './webhooks/webhooks.ts';

/** What the endpoints of one server share. */
export interface Service {
  readonly backend: Backend;
  readonly keyring: Keyring;
  readonly limiter: Limiter;
  readonly behaviour: Required<Behaviour>;
  readonly webhooks: Webhooks;
  /** Whether tool calls are told of as if the tools had run; nothing runs. */
  readonly scriptedTools: boolean;
  /** Told of every error that is the server's own. */
  readonly onFault: (error: unknown) => void;
}
