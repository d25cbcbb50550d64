import { ApiError } from './api-error.ts';
import { BackendUnavailable } from './backends/backend.ts';
import { StoreUnavailable } from './limits/store.ts';
import { unavailable } from './phase.ts';
import { Undelivered } from './webhooks/courier.ts';

/**
 * What a client is told of an error. What it must not be told goes to `onFault`.
 */
export function toApiError(error: unknown, onFault: (error: unknown) => void): ApiError {
  if (error instanceof ApiError) return error;
  const status = statusOf(error);
  if (status !== undefined && status < 500) return new ApiError('invalid_request', words(status, error), { status });
  onFault(error);
  if (error instanceof StoreUnavailable) return unavailable('the limits cannot be counted now');
  if (error instanceof BackendUnavailable) return unavailable('the model cannot answer now', error.backInMs);
  return new ApiError('internal_error', 'the server failed to answer this request');
}

/** Whether an error is one of what the server stands on, and so no bug: its message says all that there is to know. */
export function isOutage(error: unknown): error is Error {
  return [BackendUnavailable, StoreUnavailable, Undelivered].some((kind) => error instanceof kind);
}

/** What who runs the server reads of it. What is down is told anew by every request until it is back. */
export function wordsOfFault(error: unknown): string {
  if (isOutage(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The status that the framework, or the HTTP parser by its code, gives an error. */
function statusOf(error: unknown): number | undefined {
  const { statusCode, code } = Object(error) as { readonly statusCode?: unknown; readonly code?: unknown };
  if (typeof statusCode === 'number' && statusCode >= 400) return statusCode;
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return typeof code === 'string' && code.startsWith('HPE_') ? 400 : undefined;
}

function words(status: number, error: unknown): string {
  switch (status) {
    case 408:
      return 'the request took too long to arrive';
    case 413:
      return 'the body is larger than this server accepts';
    case 414:
      return 'the URL is longer than this server accepts';
    case 415:
      return 'the body must be JSON: send the header "Content-Type: application/json"';
    case 431:
      return 'the headers are larger than this server accepts';
    default:
      return badRequest(Object(error));
  }
}

function badRequest({ code }: { readonly code?: unknown }): string {
  if (code === 'FST_ERR_BAD_URL') return 'the URL holds a percent sign that is not the beginning of an escape';
  return typeof code === 'string' && code.startsWith('HPE_') ? 'the request is not HTTP/1.1' : 'the body is not JSON';
}
