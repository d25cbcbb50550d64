import { bodiesOf } from '../chunks.ts';
import { member } from '../member.ts';
import type { Reply } from '../reply.ts';
import type { WireRequest } from './wire.ts';

/** What the document says a request without max_tokens may generate. */
const defaultMaxTokens = 1000;

/** What an image takes at most with the models that count images generously; its bytes are no text. */
const imageTokens = 1000;
const dataUrl = /data:image\/[^"]*/g;

/**
 * Tokens that a request may take at most: a token is at least one byte, and the markup that a chat template adds is
 * shorter than the JSON around the messages.
 */
export function estimateTokens({ method, path, body = '' }: WireRequest): number {
  if (method !== 'POST' || !path.startsWith('/chat/completions')) return 0;
  let request: unknown;
  try {
    request = JSON.parse(body);
  } catch {
    return 0;
  }
  const asked = member(request, 'max_tokens');
  const images = body.match(dataUrl)?.length ?? 0;
  const text = images > 0 ? body.replaceAll(dataUrl, '') : body;
  return Buffer.byteLength(text) + images * imageTokens + (isCount(asked) && asked > 0 ? asked : defaultMaxTokens);
}

/** Tokens that a request took: what the usage of its reply says, and the estimate where a completion has none. */
export function spentTokens(reply: Reply, estimate: number): number {
  if (estimate === 0 || reply.status >= 400) return 0;
  const totals = bodiesOf(reply).map((body) => member(body, 'usage', 'total_tokens'));
  return totals.findLast(isCount) ?? estimate;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
