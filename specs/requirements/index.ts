import type { Requirement } from '../requirement.ts';
import { authRequirements } from './auth.ts';
import { chatRequirements } from './chat.ts';
import { clientRequirements } from './clients.ts';
import { errorRequirements } from './errors.ts';
import { httpRequirements } from './http.ts';
import { limitRequirements } from './limits.ts';
import { modelRequirements } from './models.ts';
import { streamingRequirements } from './streaming.ts';
import { toolRequirements } from './tools.ts';
import { transportRequirements } from './transports.ts';
import { versionRequirements } from './version.ts';
import { visionRequirements } from './vision.ts';
import { webhookRequirements } from './webhooks.ts';
import { websocketRequirements } from './websocket.ts';

const table = {
  ...httpRequirements,
  ...versionRequirements,
  ...authRequirements,
  ...modelRequirements,
  ...chatRequirements,
  ...streamingRequirements,
  ...toolRequirements,
  ...errorRequirements,
  ...limitRequirements,
  ...visionRequirements,
  ...websocketRequirements,
  ...transportRequirements,
  ...clientRequirements,
  ...webhookRequirements,
} as const;

export type RequirementId = keyof typeof table;

/** Every row of the contract, in the order of reports. */
export const requirements: Readonly<Record<RequirementId, Requirement>> = table;

export const requirementIds = Object.keys(table) as readonly RequirementId[];
