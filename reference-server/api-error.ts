import type { Allowance } from './limits/allowance.ts';

const documented = {
  invalid_request: { status: 400, type: 'invalid_request_error' },
  context_length_exceeded: { status: 400, type: 'invalid_request_error' },
  invalid_api_key: { status: 401, type: 'authentication_error' },
  account_disabled: { status: 403, type: 'authentication_error' },
  model_not_found: { status: 404, type: 'invalid_request_error' },
  tool_error: { status: 422, type: 'tool_error' },
  rate_limit_exceeded: { status: 429, type: 'rate_limit_error' },
  internal_error: { status: 500, type: 'server_error' },
  service_unavailable: { status: 503, type: 'server_error' },
} as const;

export type ErrorCode = keyof typeof documented;

interface ErrorDetails {
  /** The input that is to blame. */
  readonly param?: string;
  /** Where HTTP has a status of its own for it; else the documented status of the code. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the X-RateLimit headers say, where it is not the state of the request limit. */
  readonly allowance?: Allowance;
}

/** A request that is answered with an error. The message is for the client. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly type: string;
  readonly status: number;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly allowance: Allowance | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    this.type = documented[code].type;
    this.status = details.status ?? documented[code].status;
    this.param = details.param ?? null;
    this.headers = details.headers ?? {};
    this.allowance = details.allowance;
  }
}

/**
 * A refusal for the time being: says in whole seconds when to come back.
 * @param allowance what the X-RateLimit headers say instead of the truth
 */
export function rateLimited(message: string, seconds: number, allowance?: Allowance): ApiError {
  const retryAfter = String(Math.max(1, Math.ceil(seconds)));
  return new ApiError('rate_limit_exceeded', message, {
    headers: { 'Retry-After': retryAfter },
    ...(allowance && { allowance }),
  });
}
