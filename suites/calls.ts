import { chunksOf } from './chunks.ts';
import { isObject, member } from './member.ts';
import type { Reply } from './reply.ts';

/** A piece of a streamed call, with the call that it belongs to. */
export interface CallPiece {
  readonly index: unknown;
  readonly piece: unknown;
}

/** The pieces of calls of a stream in their order. */
export function callPieces(reply: Reply): readonly CallPiece[] {
  return chunksOf(reply).flatMap((chunk) => {
    const calls = member(chunk, 'choices', 0, 'delta', 'tool_calls');
    return Array.isArray(calls) ? calls.map((piece: unknown) => ({ index: member(piece, 'index'), piece })) : [];
  });
}

/** The pieces of a stream by their call; those without a sound index count for the first. */
export function piecesByCall(reply: Reply): readonly (readonly unknown[])[] {
  const groups = new Map<number, unknown[]>();
  for (const { index, piece } of callPieces(reply)) {
    const key = Number.isInteger(index) ? Number(index) : 0;
    groups.set(key, [...(groups.get(key) ?? []), piece]);
  }
  return [...groups.entries()].sort(([one], [other]) => one - other).map(([, pieces]) => pieces);
}

/** The calls of an answer, in one body or put together from a stream as the OpenAI SDKs do; none where it has none. */
export function callsOf(reply: Reply): readonly unknown[] {
  if (reply.isStream) return piecesByCall(reply).map(assemble);
  const calls = member(reply.json, 'choices', 0, 'message', 'tool_calls');
  return Array.isArray(calls) ? calls : [];
}

function assemble(pieces: readonly unknown[]): unknown {
  const first = (...path: string[]) =>
    pieces.map((piece) => member(piece, ...path)).find((part) => (part ?? '') !== '');
  return {
    id: first('id'),
    type: first('type'),
    function: { name: first('function', 'name'), arguments: joinedArguments(pieces) },
  };
}

export function joinedArguments(pieces: readonly unknown[]): string {
  return pieces
    .map((piece) => member(piece, 'function', 'arguments'))
    .filter((text) => typeof text === 'string')
    .join('');
}

/** The arguments of a call; `undefined` where they are not the text of a JSON object. */
export function argumentsIn(text: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
