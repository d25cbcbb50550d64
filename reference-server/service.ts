import type { Backend } from './backends/backend.ts';
import type { Behaviour } from './behaviour.ts';
import type { FetchImage } from './images/fetch-image.ts';
import type { Keyring } from './keys/keyring.ts';
import type { Limiter } from './limits/limiter.ts';

/** What the endpoints of one server share. */
export interface Service {
  readonly backend: Backend;
  readonly keyring: Keyring;
  readonly limiter: Limiter;
  readonly behaviour: Required<Behaviour>;
  /** Gets images by URL; absent where the server fetches nothing. */
  readonly fetchImage: FetchImage | undefined;
  /** Told of every error that is the server's own. */
  readonly onFault: (error: unknown) => void;
}
