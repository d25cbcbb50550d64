import { completionRules } from './completions.ts';
import { errorRules } from './errors.ts';
import { httpRules } from './http.ts';
import { limitRules } from './limits.ts';
import type { ExchangeRules } from './rule.ts';
import { socketRules } from './sockets.ts';
import { streamRules } from './streams.ts';
import { toolRules } from './tools.ts';
import { versionRules } from './version.ts';

export { wholeRunRules } from './whole-run.ts';

/** The requirements that every recorded exchange is held to, whichever probe it belongs to. */
export const exchangeRules: ExchangeRules = {
  ...httpRules,
  ...versionRules,
  ...completionRules,
  ...streamRules,
  ...toolRules,
  ...errorRules,
  ...limitRules,
  ...socketRules,
};
