import type { WebhookPayload } from '../../specs/wire.ts';
import type { AnswerEvent } from '../answer-events.ts';
import type { BackendCall } from '../backends/backend.ts';
import { usage } from '../chat-answer.ts';
import type { ToolResult } from '../tools/tool-runner.ts';

/** The event generation.done. Its data is ours: the API document shows none. */
export function payloadOfEnd(
  time: number,
  id: unknown,
  model: string,
  end: Extract<AnswerEvent, { type: 'end' }>,
): WebhookPayload {
  return payload(time, 'generation.done', { id, model, finish_reason: end.finishReason, usage: usage(end) });
}

export function payloadOfCall(time: number, { id, name }: BackendCall): WebhookPayload {
  return payload(time, 'tool_call.started', { tool_call_id: id, tool_name: name });
}

/** The end of a call. A failure has an error where a completed call has a result. */
export function payloadOfResult(time: number, { id, name }: BackendCall, result: ToolResult): WebhookPayload {
  const { execution_time_ms, error, output } = result;
  const call = { tool_call_id: id, tool_name: name, execution_time_ms };
  return error === null
    ? payload(time, 'tool_call.completed', { ...call, result: output })
    : payload(time, 'tool_call.failed', { ...call, error });
}

/** @param time Unix milliseconds */
function payload(time: number, event: string, data: object): WebhookPayload {
  return { event, timestamp: new Date(time).toISOString(), data };
}
