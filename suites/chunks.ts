import { isObject, member } from './member.ts';
import type { Reply } from './reply.ts';

/** Many rules read the same stream. */
const read = new WeakMap<Reply, readonly Readonly<Record<string, unknown>>[]>();

/** The JSON objects of a stream's events in order, without [DONE], errors and what is not JSON. */
export function chunksOf(reply: Reply): readonly Readonly<Record<string, unknown>>[] {
  const known = read.get(reply);
  if (known) return known;
  const chunks = reply.events.flatMap(({ data }) => {
    const chunk = parseJson(data);
    return isObject(chunk) && !isObject(chunk.error) ? [chunk] : [];
  });
  read.set(reply, chunks);
  return chunks;
}

/** The parsed bodies of a reply: the chunks of a stream, or the one body of any other. */
export function bodiesOf(reply: Reply): readonly unknown[] {
  return reply.isStream ? chunksOf(reply) : [reply.json];
}

export function deltaText(chunk: unknown): string {
  const content = member(chunk, 'choices', 0, 'delta', 'content');
  return typeof content === 'string' ? content : '';
}

/** The finish reasons of a stream's chunks that have one. */
export function finishReasons(reply: Reply): readonly unknown[] {
  return chunksOf(reply)
    .map((chunk) => member(chunk, 'choices', 0, 'finish_reason'))
    .filter((reason) => reason !== undefined && reason !== null);
}

/** `undefined` for what is not JSON. */
export function parseJson(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
