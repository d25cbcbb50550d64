import type { IncomingMessage } from 'node:http';
import { ApiError } from './api-error.ts';

/** Why a request cannot be answered, as far as HTTP alone decides. */
export function refuseHead({ httpVersion, headers }: IncomingMessage): ApiError | undefined {
  const { host, expect, 'content-encoding': encoding = 'identity' } = headers;
  if (httpVersion === '1.1' && host === undefined) return refusal(400, 'host', 'the header Host is missing');
  if (httpVersion === '1.1' && expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return refusal(417, 'expect', 'this server meets no other expectation than "Expect: 100-continue"');
  }
  if (encoding.toLowerCase() === 'identity') return undefined;
  const words = 'this server reads no compressed bodies: leave the header Content-Encoding out';
  return refusal(415, 'content-encoding', words, { 'Accept-Encoding': 'identity' });
}

function refusal(status: number, param: string, message: string, headers = {}): ApiError {
  return new ApiError('invalid_request', message, { status, param, headers });
}
