import type { Dialect } from './dialects/dialect.ts';
import { errorDialects } from './dialects/errors.ts';
import { headerDialects } from './dialects/headers.ts';
import { jsonDialects } from './dialects/json.ts';
import { streamDialects } from './dialects/streams.ts';
import { toolDialects } from './dialects/tools.ts';
import { webhookDialects } from './dialects/webhooks.ts';

const table = {
  ...errorDialects,
  ...headerDialects,
  ...jsonDialects,
  ...streamDialects,
  ...toolDialects,
  ...webhookDialects,
};

export type DialectId = keyof typeof table;

/** Every form of the API that a conforming server may choose. */
export const dialects: Readonly<Record<DialectId, Dialect>> = table;
