import { authFaults } from './auth.ts';
import { clientFaults } from './clients.ts';
import { completionFaults } from './completions.ts';
import { errorFaults } from './errors.ts';
import { failureFaults } from './failures.ts';
import type { Fault } from './fault.ts';
import { generationFaults } from './generation.ts';
import { httpFaults } from './http.ts';
import { limitFaults } from './limits.ts';
import { modelFaults } from './models.ts';
import { parameterFaults } from './parameters.ts';
import { socketLimitFaults } from './socket-limits.ts';
import { socketMessageFaults } from './socket-messages.ts';
import { streamingFaults } from './streaming.ts';
import { tierFaults } from './tiers.ts';
import { toolFaults } from './tools.ts';
import { transportFaults } from './transports.ts';
import { versionFaults } from './version.ts';
import { visionFaults } from './vision.ts';
import { webhookFaults } from './webhooks.ts';
import { websocketFaults } from './websocket.ts';

const table = {
  ...httpFaults,
  ...versionFaults,
  ...authFaults,
  ...modelFaults,
  ...completionFaults,
  ...parameterFaults,
  ...generationFaults,
  ...streamingFaults,
  ...toolFaults,
  ...errorFaults,
  ...failureFaults,
  ...limitFaults,
  ...visionFaults,
  ...tierFaults,
  ...websocketFaults,
  ...socketMessageFaults,
  ...socketLimitFaults,
  ...transportFaults,
  ...clientFaults,
  ...webhookFaults,
};

export type FaultId = keyof typeof table;

/** Every way in which the server can be told to misbehave. */
export const faults: Readonly<Record<FaultId, Fault>> = table;
