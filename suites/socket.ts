import type { Frame, RecordedSocket } from '../specs/evidence.ts';
import { bytesOf } from './body.ts';
import { parseJson } from './chunks.ts';
import { isObject, member } from './member.ts';

/** A message of a socket as judgements read it. */
export interface SocketMessage {
  readonly frame: Frame;
  readonly fromTarget: boolean;
  /** The text of a text message; empty for any other. */
  readonly text: string;
  /** `undefined` where it is not JSON. */
  readonly json: unknown;
  /** The type that a text message gives itself. */
  readonly type: string | undefined;
}

export function messagesOf({ frames }: RecordedSocket): readonly SocketMessage[] {
  return frames.map((frame) => {
    const text = frame.opcode === 'text' ? bytesOf(frame).toString() : '';
    const json = frame.opcode === 'text' ? parseJson(text) : undefined;
    const type = isObject(json) ? json.type : undefined;
    return {
      frame,
      fromTarget: frame.from === 'target',
      text,
      json,
      type: typeof type === 'string' ? type : undefined,
    };
  });
}

export const isStart = ({ fromTarget, type }: SocketMessage) => !fromTarget && type === 'start';

/** The target sent a message of this type. */
export const isFromTarget = (message: SocketMessage, type: string) => message.fromTarget && message.type === type;

/** The text of a content message; empty for any other. */
export function contentOf(message: SocketMessage): string {
  const content = isFromTarget(message, 'content') ? member(message.json, 'content') : '';
  return typeof content === 'string' ? content : '';
}

/** A start that was refused for a reason of the moment: over a limit, or down for a while. */
export function refusedForNow(messages: readonly SocketMessage[]): boolean {
  const first = messages.find(
    ({ fromTarget, type, frame }) => fromTarget && frame.opcode === 'text' && type !== 'pong',
  );
  const code = first?.type === 'error' ? member(first.json, 'code') : undefined;
  return ['rate_limit_exceeded', 'service_unavailable', 429, 503, '429', '503'].some((known) => known === code);
}
