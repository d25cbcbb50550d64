/** Where the events of an account go. */
export interface WebhookTarget {
  readonly url: string;
  /** The events that are delivered. */
  readonly events: readonly string[];
  /** Signs what is delivered: `whsec_` and the key in base64. */
  readonly secret?: string;
}

/** A webhook that cannot be used. The message says where and why, and shows no secret. */
export class BadWebhook extends Error {}

const known: readonly string[] = ['tool_call.started', 'tool_call.completed', 'tool_call.failed', 'generation.done'];

interface Given {
  readonly webhook_url: unknown;
  readonly events?: unknown;
  readonly secret?: unknown;
}

/**
 * The configuration of the API document, `{ webhook_url, events }`, and a secret to sign with, as Standard Webhooks
 * writes it. Without events all are delivered.
 * @throws BadWebhook
 */
export function parseWebhook({ webhook_url: url, events = known, secret }: Given, where: string): WebhookTarget {
  if (typeof url !== 'string' || !/^https?:$/.test(protocolOf(url))) {
    throw new BadWebhook(`webhook_url in ${where} must be a URL that begins with http:// or https://`);
  }
  const { username, password } = new URL(url);
  if (username !== '' || password !== '') {
    throw new BadWebhook(`webhook_url in ${where} must hold neither a user nor a password: sign with a secret instead`);
  }
  if (!Array.isArray(events) || events.length === 0 || !events.every((event) => known.includes(event))) {
    throw new BadWebhook(`events in ${where} must be an array of one or more of ${known.join(', ')}`);
  }
  if (secret === undefined) return { url, events };
  if (typeof secret !== 'string' || !/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret)) {
    throw new BadWebhook(
      `the secret in ${where} must be whsec_ followed by at least 24 bytes in base64, such as: echo whsec_$(openssl rand -base64 24)`,
    );
  }
  return { url, events, secret };
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}
