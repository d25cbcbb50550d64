import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from './api-error.ts';
import type { GenerationEvent } from './backends/backend.ts';

const failures: ReadonlyMap<string, ApiError> = new Map([
  ['500', new ApiError('internal_error', 'the server failed, as it was told to')],
  [
    '503',
    new ApiError('service_unavailable', 'the service is down, as it was told to', { headers: { 'Retry-After': '1' } }),
  ],
  ['422', new ApiError('tool_error', 'a tool failed, as it was told to')],
]);

const cutStream = 'cut-stream';

/** What a request asks to fail with, by a header that only a server obeys that was started to allow it. */
export function demandOf(headers: IncomingHttpHeaders): string | undefined {
  return headers['x-stack29-fault']?.toString();
}

/** The failure that comes in the place of an answer. */
export function failureFor(demand: string | undefined): ApiError | undefined {
  if (demand === undefined || demand === cutStream) return undefined;
  const known = [...failures.keys(), cutStream].join(', ');
  const unknown = new ApiError('invalid_request', `X-Stack29-Fault must be one of ${known}`, {
    param: 'X-Stack29-Fault',
  });
  return failures.get(demand) ?? unknown;
}

/** The events of a generation, which fails after its first text where the request asks for that. */
export async function* failingOn(
  demand: string | undefined,
  events: AsyncIterable<GenerationEvent>,
): AsyncGenerator<GenerationEvent> {
  for await (const event of events) {
    yield event;
    if (demand === cutStream)
      throw new ApiError('internal_error', 'the answer failed in its middle, as it was told to');
  }
}
