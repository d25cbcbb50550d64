import type { BoundProbe } from '../probe.ts';
import { acceptedProbes } from './accepted.ts';
import { authProbes } from './auth.ts';
import { clientProbes } from './clients.ts';
import { failureProbes } from './failures.ts';
import { generationProbes } from './generation.ts';
import { limitProbes } from './limits.ts';
import { modelProbes } from './models.ts';
import { refusedProbes } from './refused.ts';
import { strainProbes } from './socket-strain.ts';
import { streamingProbes } from './streaming.ts';
import { toolProbes } from './tools.ts';
import { transportProbes } from './transports.ts';
import { visionProbes } from './vision.ts';
import { webhookProbes } from './webhooks.ts';
import { websocketProbes } from './websocket.ts';
import { moreWebsocketProbes } from './websocket-more.ts';

/** Every probe, in the order in which they are begun. */
export const probes: readonly BoundProbe[] = [
  ...modelProbes,
  ...authProbes,
  ...acceptedProbes,
  ...refusedProbes,
  ...generationProbes,
  ...streamingProbes,
  ...visionProbes,
  ...websocketProbes,
  ...moreWebsocketProbes,
  ...toolProbes,
  ...failureProbes,
  ...transportProbes,
  ...clientProbes,
  ...webhookProbes,
  ...limitProbes,
  ...strainProbes,
];
