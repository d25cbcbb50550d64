/** What an account may use. */
export interface Limits {
  readonly requestsPerMinute: number;
  /** Prompt and completion tokens together. */
  readonly tokensPerDay: number;
  /** Generations at the same time. */
  readonly concurrent: number;
}

export const tiers = ['free', 'pro', 'enterprise'] as const;

export type Tier = (typeof tiers)[number];

/** Enterprise accounts have limits of their own. */
export const tierLimits: Readonly<Record<Exclude<Tier, 'enterprise'>, Limits>> = {
  free: { requestsPerMinute: 100, tokensPerDay: 100_000, concurrent: 5 },
  pro: { requestsPerMinute: 1_000, tokensPerDay: 10_000_000, concurrent: 20 },
};
