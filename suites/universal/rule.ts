import type { RequirementId } from '../../specs/requirements/index.ts';
import { parseJson } from '../chunks.ts';
import type { Context } from '../probe.ts';
import type { Reply } from '../reply.ts';

/** A requirement that holds for every exchange of a kind, whichever probe it belongs to. */
export interface ExchangeRule {
  readonly applies: (reply: Reply) => boolean;
  readonly judge: (reply: Reply, context: Context) => undefined;
  /**
   * What it means that no exchange of the kind was seen: the requirement is not about this target (a reason), or,
   * where this is absent, it was not observed.
   */
  readonly absent?: string;
}

export type ExchangeRules = { readonly [Id in RequirementId]?: ExchangeRule };

/**
 * The response arrived whole and is the target's own, not a redirect. A socket, and the refusal of one, is nothing that
 * is read as a response: WebSocket libraries refuse without a body, and no client shows it to its program.
 */
export function arrived(reply: Reply): boolean {
  if (reply.exchange.request.dialog !== undefined) return false;
  return reply.failure === undefined && reply.status !== 0 && !(reply.status >= 300 && reply.status < 400);
}

/** What answered the request for a socket neither opens one nor can be read as a refusal. */
export function opensNone({ exchange, failure }: Reply): boolean {
  return exchange.request.dialog !== undefined && failure?.kind === 'protocol';
}

/** The body can be read, so that what it lacks is the target's doing: it is JSON, or a stream. */
export function readable(reply: Reply): boolean {
  return arrived(reply) && (reply.json !== undefined || (reply.isStream && reply.bodyProblem === undefined));
}

/** Many rules ask it of the same reply. */
const asked = new WeakMap<Reply, Readonly<Record<string, unknown>>>();

/** The members of the request's body, where it is a JSON object that a probe sent. */
export function askedFor(reply: Reply): Readonly<Record<string, unknown>> {
  const known = asked.get(reply);
  if (known) return known;
  const body: unknown = parseJson(reply.exchange.request.body ?? '{}');
  const members = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  asked.set(reply, members);
  return members;
}
