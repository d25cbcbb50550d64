import type { DialogStep } from '../../specs/evidence.ts';
import { bodiesOf, parseJson } from '../chunks.ts';
import { member } from '../member.ts';
import type { Reply } from '../reply.ts';
import { isFromTarget, isStart } from '../socket.ts';
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
export function estimateTokens({ method, path, body = '', dialog }: WireRequest): number {
  if (dialog) return startsOf(dialog).reduce((sum, start) => sum + estimateOf(start), 0);
  if (method !== 'POST' || !path.startsWith('/chat/completions')) return 0;
  return estimateOf(body);
}

/** Requests that a rate limit may count: a socket, and each start on it. */
export function countRequests({ dialog = [] }: Pick<WireRequest, 'dialog'>): number {
  return 1 + startsOf(dialog).length;
}

/** Those that a reply shows to have been sent. */
export function sentRequests({ messages }: Reply): number {
  return 1 + messages.filter(isStart).length;
}

function startsOf(dialog: readonly DialogStep[]): readonly string[] {
  return dialog.flatMap((step) =>
    'send' in step && member(parseJson(step.send), 'type') === 'start' ? [step.send] : [],
  );
}

function estimateOf(body: string): number {
  const request = parseJson(body);
  if (request === undefined) return 0;
  const asked = member(request, 'max_tokens');
  const images = body.match(dataUrl)?.length ?? 0;
  const text = images > 0 ? body.replaceAll(dataUrl, '') : body;
  return Buffer.byteLength(text) + images * imageTokens + (isCount(asked) && asked > 0 ? asked : defaultMaxTokens);
}

/** Tokens that a request took: what the usage of its reply says, and the estimate where a completion has none. */
export function spentTokens(reply: Reply, estimate: number): number {
  if (estimate === 0 || reply.status >= 400) return 0;
  const { messages } = reply;
  if (messages.length > 0) {
    const done = messages.filter((message) => isFromTarget(message, 'done'));
    const counts = done.map(({ json }) => member(json, 'usage', 'total_tokens'));
    const whole = done.length === messages.filter(isStart).length && counts.every(isCount);
    if (whole) return counts.reduce<number>((sum, count) => sum + Number(count), 0);
    return messages.filter(isStart).reduce((sum, { text }) => sum + estimateOf(text), 0);
  }
  const totals = bodiesOf(reply).map((body) => member(body, 'usage', 'total_tokens'));
  return totals.findLast(isCount) ?? estimate;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
