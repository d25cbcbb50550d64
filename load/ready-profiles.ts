import capacity from './profiles/capacity.json' with { type: 'json' };
import ramp from './profiles/ramp.json' with { type: 'json' };
import smoke from './profiles/smoke.json' with { type: 'json' };
import soak from './profiles/soak.json' with { type: 'json' };
import spike from './profiles/spike.json' with { type: 'json' };
import steady from './profiles/steady.json' with { type: 'json' };
import tierEnterprise from './profiles/tier-enterprise.json' with { type: 'json' };
import tierFree from './profiles/tier-free.json' with { type: 'json' };
import tierPro from './profiles/tier-pro.json' with { type: 'json' };
import tokensPerSecond from './profiles/tokens-per-second.json' with { type: 'json' };

/** The profiles that come with the tool, as their files hold them. */
export const readyProfiles: Readonly<Record<string, { readonly description: string }>> = {
  smoke,
  'tokens-per-second': tokensPerSecond,
  steady,
  ramp,
  spike,
  soak,
  capacity,
  'tier-free': tierFree,
  'tier-pro': tierPro,
  'tier-enterprise': tierEnterprise,
};
