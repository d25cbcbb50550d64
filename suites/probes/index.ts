import type { BoundProbe } from '../probe.ts';
import { acceptedProbes } from './accepted.ts';
import { authProbes } from './auth.ts';
import { generationProbes } from './generation.ts';
import { limitProbes } from './limits.ts';
import { modelProbes } from './models.ts';
import { refusedProbes } from './refused.ts';
import { streamingProbes } from './streaming.ts';
import { toolProbes } from './tools.ts';
import { webhookProbes } from './webhooks.ts';

/** Every probe, in the order in which they are begun. */
export const probes: readonly BoundProbe[] = [
  ...modelProbes,
  ...authProbes,
  ...acceptedProbes,
  ...refusedProbes,
  ...generationProbes,
  ...streamingProbes,
  ...toolProbes,
  ...webhookProbes,
  ...limitProbes,
];
