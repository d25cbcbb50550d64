import type { Dialect } from './dialects/dialect.ts';
import { errorDialects } from './dialects/errors.ts';
import { headerDialects } from './dialects/headers.ts';
import { jsonDialects } from './dialects/json.ts';
import { limitDialects } from './dialects/limits.ts';
import { streamDialects } from './dialects/streams.ts';
import { toolDialects } from './dialects/tools.ts';
import { visionDialects } from './dialects/vision.ts';
import { webhookDialects } from './dialects/webhooks.ts';
import { websocketDialects } from './dialects/websocket.ts';

const table = {
  ...errorDialects,
  ...headerDialects,
  ...jsonDialects,
  ...streamDialects,
  ...toolDialects,
  ...limitDialects,
  ...visionDialects,
  ...websocketDialects,
  ...webhookDialects,
};

export type DialectId = keyof typeof table;

/** Every form of the API that a conforming server may choose. */
export const dialects: Readonly<Record<DialectId, Dialect>> = table;
