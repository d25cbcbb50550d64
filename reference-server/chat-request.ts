import { problemsOf, type SchemaProblem } from '../specs/validate.ts';
import type { ChatRequest, Message } from '../specs/wire.ts';
import { ApiError } from './api-error.ts';
import type { BackendMessage, Generation, Image } from './backends/backend.ts';
import { forcedTools, offeredTools, refuseTools } from './tools/definitions.ts';

/** Why a body is not a chat request that this server can answer. @param vision whether the model sees */
export function refuseBody(body: unknown, vision: boolean): ApiError | undefined {
  const [problem] = problemsOf('chat-request', body);
  if (problem) return badParameter(problem);
  const request = body as ChatRequest;
  const { messages } = request;
  const image = messages.findIndex(
    ({ content }) => Array.isArray(content) && content.some(({ type }) => type === 'image_url'),
  );
  if (image === -1 || vision) return refuseTools(request);
  return new ApiError('invalid_request', `messages[${image}] holds an image, and this model cannot see`, {
    param: 'messages',
  });
}

/** A problem in words, with the parameter that it lies in. */
function badParameter({ pointer, expected, actual }: SchemaProblem): ApiError {
  const [param, ...rest] = pointer.split('/').slice(1);
  if (param === undefined) return new ApiError('invalid_request', `the body must be ${expected}, not ${actual}`);
  const path = param + rest.map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`)).join('');
  const message =
    actual === 'absent' ? `${path} is missing: it must be ${expected}` : `${path} must be ${expected}, not ${actual}`;
  return new ApiError('invalid_request', message, { param });
}

/** The request for the backend, with the documented defaults. @param room tokens that the context window has left */
export function generationOf(request: ChatRequest, messages: readonly BackendMessage[], room: number): Generation {
  const tools = offeredTools(request);
  const forced = forcedTools(request);
  return {
    messages,
    maxTokens: Math.min(request.max_completion_tokens ?? request.max_tokens ?? 1000, room),
    temperature: request.temperature ?? 0.7,
    topP: request.top_p ?? 1,
    frequencyPenalty: request.frequency_penalty ?? 0,
    presencePenalty: request.presence_penalty ?? 0,
    // A call that is cut amid its arguments is of no use.
    stop: forced.length > 0 ? [] : [request.stop ?? []].flat(),
    ...(tools.length > 0 && { tools }),
    ...(forced.length > 0 && { forced }),
    ...(request.seed !== undefined && { seed: request.seed }),
  };
}

/** @param images of each message */
export function messagesOf(
  { messages }: ChatRequest,
  images: readonly (readonly Image[])[],
): readonly BackendMessage[] {
  return messages.map(({ role, content, tool_calls: calls = [], tool_call_id: toolCallId }, index) => {
    const own = images[index] ?? [];
    return {
      role,
      content: textOf(content),
      ...(own.length > 0 && { images: own }),
      ...(calls.length > 0 && {
        toolCalls: calls.map(({ id, function: { name, arguments: text } }) => ({ id, name, arguments: text })),
      }),
      ...(toolCallId !== undefined && { toolCallId }),
    };
  });
}

function textOf(content: Message['content']): string {
  if (typeof content === 'string') return content;
  return (content ?? []).flatMap(({ type, text }) => (type === 'text' ? [text] : [])).join('\n');
}
