import type { WebhookPayload } from '../../specs/wire.ts';
import type { GenerationEvent } from '../backends/backend.ts';
import { type Chat, usage } from '../chat-answer.ts';
import type { ToolEvent } from './tool-event.ts';

export type EndEvent = Extract<GenerationEvent, { readonly type: 'end' }>;

/** The event generation.done. Its data is ours: the API document shows none. */
export function payloadOfEnd(
  chat: Pick<Chat, 'id' | 'model' | 'promptTokens'>,
  { finishReason, completionTokens }: EndEvent,
): WebhookPayload {
  const { id, model } = chat;
  return payload('generation.done', {
    id,
    model,
    finish_reason: finishReason,
    usage: usage(chat, completionTokens),
  });
}

/** The event of a tool call that the server runs. A failure has an error where a completed call has a result. */
export function payloadOfTool(event: ToolEvent): WebhookPayload {
  const call = { tool_call_id: event.tool_call_id, tool_name: event.name };
  if (event.type === 'tool_call') return payload('tool_call.started', call);
  const { execution_time_ms, error, output: result } = event;
  return error === null
    ? payload('tool_call.completed', { ...call, execution_time_ms, result })
    : payload('tool_call.failed', { ...call, execution_time_ms, error });
}

function payload(event: string, data: object): WebhookPayload {
  return { event, timestamp: new Date().toISOString(), data };
}
